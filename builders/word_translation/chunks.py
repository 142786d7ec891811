"""The candidates in chunks, as the reviewers read them."""

from __future__ import annotations

from pathlib import Path

from everyday_nouns.table import LANGUAGES, Concept
from everyday_nouns.wordnet import WordNet
from word_translation.propose import N_PROPOSALS, TARGETS, Candidate
from word_translation.review import CANDIDATE_HEADER
from word_translation.selection import synset_of

N_CHUNKS = 7  # of each batch


def dealt(batches: list[list[Candidate]]) -> list[tuple[int, Candidate]]:
    """Deal each batch round robin, frequent ones first within each part of speech, with their chunk numbers."""
    found = []
    for batch, candidates in enumerate(batches):
        by_pos = sorted(candidates, key=lambda one: ("nvar".index(one.lemma.pos), -round(one.zipf, 6), one.concept_id))
        by_pos.sort(key=lambda one: one.lemma.instance)
        found += [(batch * N_CHUNKS + number % N_CHUNKS, one) for number, one in enumerate(by_pos)]
    return found


def candidates_tsv(batches: list[list[Candidate]], everyday: list[Concept]) -> str:
    """Write the list that the review tables refer to: sense, part of speech and chunk of every candidate."""
    fixed = {concept.words["en"][0]: concept for concept in everyday}
    lines = [
        "\t".join((one.concept_id, one.lemma.pos, synset_of(one, fixed), str(chunk))) for chunk, one in dealt(batches)
    ]
    return "\n".join(["\t".join(CANDIDATE_HEADER), *sorted(lines)]) + "\n"


def write_chunks(batches: list[list[Candidate]], everyday: list[Concept], wordnet: WordNet, folder: Path) -> None:
    """Write the chunks for the reviewers."""
    fixed = {concept.words["en"][0]: concept for concept in everyday}
    rows: list[list[str]] = [[] for _ in range(N_CHUNKS * len(batches))]
    for number, one in dealt(batches):
        concept = fixed.get(one.lemma.word)
        synset = synset_of(one, fixed)
        gloss = wordnet.synsets[synset].gloss
        gloss = gloss if len(gloss) <= 90 else gloss[:89] + "…"
        cells = ["|".join(f"{p.word}*{len(p.sources)}" for p in one.cells[language]) for language in TARGETS]
        if concept:  # the words of the bundled nouns were reviewed before: they stand first
            cells = [_with_reviewed(concept, language, one) for language in TARGETS]
        english = "|".join(f"{word}*1" for word in concept.words["en"]) if concept else f"{one.lemma.word}*1"
        rows[number].append("\t".join((one.concept_id, one.lemma.pos, synset, gloss, english, *cells)))
    folder.mkdir(parents=True, exist_ok=True)
    header = "\t".join(("concept_id", "pos", "synset", "gloss", *LANGUAGES))
    for number, lines in enumerate(rows):
        temporary = folder / f".chunk_{number:02}.tsv.part"
        temporary.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8", newline="\n")
        temporary.rename(folder / f"chunk_{number:02}.tsv")  # a reviewer never sees half a file


def _with_reviewed(concept: Concept, language: str, candidate: Candidate) -> str:
    votes = {one.word: len(one.sources) for one in candidate.cells[language]}
    words = dict.fromkeys((*concept.words[language], *votes))
    return "|".join(
        f"{word}*{votes.get(word, 0)}" for word in list(words)[: max(N_PROPOSALS, len(concept.words[language]))]
    )
