"""A random sample of cells for blind judging, and the error rate with its exact interval."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tools.everyday_nouns.table import LANGUAGES
from tools.everyday_nouns.wordnet import WordNet
from tools.word_translation.table import Row

SAMPLE_HEADER = ("concept_id", "pos", "gloss", "en", "language", "word", "accepted")
VERDICTS = ("right", "wrong")


def draw(rows: list[Row], wordnet: WordNet, seed: int, cells: int) -> str:
    """Draw cells (concept and language, English included) of the test concepts without replacement, as TSV.

    Raises:
        ValueError: there are not so many cells.
    """
    everything = [(row, language) for row in rows if row.split == "test" for language in LANGUAGES]
    if not 0 < cells <= len(everything):
        raise ValueError(f"{cells} cells cannot be drawn from {len(everything)}")
    order = sorted(
        everything, key=lambda one: hashlib.sha256(f"sample/{seed}/{one[0].concept_id}/{one[1]}".encode()).digest()
    )
    lines = ["\t".join(SAMPLE_HEADER)]
    for row, language in order[:cells]:
        gloss = wordnet.synsets[row.synset].gloss
        words = row.words[language]
        shown = (row.concept_id, row.pos, gloss, row.words["en"][0], language, words[0], "|".join(words[1:]))
        lines.append("\t".join(shown))
    return "\n".join(lines) + "\n"


def read_verdicts(path: Path) -> list[bool]:
    """Read a judged sample: the drawn columns and one more, `verdict`, which is right or wrong.

    Returns:
        For each cell, whether it is wrong.

    Raises:
        ValueError: the column is missing, or a cell has no verdict.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    header = lines[0].split("\t")
    if "verdict" not in header:
        raise ValueError(f"{path.name} has no column verdict")
    column = header.index("verdict")
    verdicts = []
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        verdict = cells[column].strip() if len(cells) > column else ""
        if verdict not in VERDICTS:
            raise ValueError(f"{path.name}:{number}: the verdict is {verdict!r}, not {' or '.join(VERDICTS)}")
        verdicts.append(verdict == "wrong")
    return verdicts


def exact_interval(wrong: int, cells: int, level: float = 0.95) -> tuple[float, float]:
    """Clopper-Pearson interval of a proportion (Clopper and Pearson 1934, Biometrika 26)."""
    from scipy.stats import beta

    tail = (1 - level) / 2
    low = float(beta.ppf(tail, wrong, cells - wrong + 1)) if wrong else 0.0
    high = float(beta.ppf(1 - tail, wrong + 1, cells - wrong)) if wrong < cells else 1.0
    return low, high


def report(verdicts: list[bool]) -> str:
    """Return the error rate and its interval in words."""
    wrong, cells = sum(verdicts), len(verdicts)
    low, high = exact_interval(wrong, cells)
    interval = f"95 % interval {low:.2%} to {high:.2%}, Clopper-Pearson"
    return f"{wrong} of {cells} cells wrong: {wrong / cells:.2%} ({interval})"
