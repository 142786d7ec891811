"""A random sample of cells for blind judging, and the error rates with their exact intervals."""

from __future__ import annotations

import hashlib
from pathlib import Path

from everyday_nouns.table import LANGUAGES
from everyday_nouns.wordnet import WordNet
from word_translation.table import Row

SAMPLE_HEADER = ("concept_id", "pos", "gloss", "en", "language", "word", "accepted", "shown", "missing", "wrong")
QUESTIONS = {"missing": "miss an obvious answer", "wrong": "accept a wrong word"}
NONE = "-"
VERDICTS = ("right", "wrong")


def draw(rows: list[Row], wordnet: WordNet, seed: int, cells: int) -> str:
    """Draw cells (concept and language, English included) of the test concepts without replacement, as TSV.

    `word` is displayed, `accepted` holds the other accepted words, and `shown` the displayed words of all languages. A
    judge fills `missing` with the obvious answers that are not accepted and `wrong` with the accepted words that are
    wrong, several separated by ``|``, none written as ``-``.

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
        displayed = " ".join(f"{code}:{row.words[code][0]}" for code in LANGUAGES)
        cell = (language, words[0], "|".join(words[1:]), displayed, "", "")
        lines.append("\t".join((row.concept_id, row.pos, gloss, row.words["en"][0], *cell)))
    return "\n".join(lines) + "\n"


def read_answers(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    """Read a judged sample of two questions: by concept and language, the words given for each question, or ''.

    Raises:
        ValueError: a column is missing, or a question of a cell is not answered.
    """
    header, *lines = (line.split("\t") for line in path.read_text(encoding="utf-8-sig").splitlines())
    columns = {name: header.index(name) for name in ("concept_id", "language", *QUESTIONS) if name in header}
    if len(columns) < 2 + len(QUESTIONS):
        raise ValueError(f"{path.name} lacks one of the columns concept_id, language, {', '.join(QUESTIONS)}")
    found = {}
    for number, cells in enumerate(lines, start=2):
        answers = {name: cells[columns[name]].strip() if len(cells) > columns[name] else "" for name in QUESTIONS}
        for name, answer in answers.items():
            if not answer:
                raise ValueError(f"{path.name}:{number}: {name} is not answered; write words, or {NONE} for none")
        key = cells[columns["concept_id"]], cells[columns["language"]]
        found[key] = {name: answer if answer != NONE else "" for name, answer in answers.items()}
    return found


def answers_report(judges: list[dict[tuple[str, str], dict[str, str]]]) -> str:
    """Return the rate of each question over the same cells, where any judge and where every judge names a word.

    Raises:
        ValueError: the judges did not judge the same cells.
    """
    cells = list(judges[0])
    if any(set(one) != set(cells) for one in judges):
        raise ValueError("the files do not hold the same cells")
    lines = []
    for name, meaning in QUESTIONS.items():
        for among, who in ((any, "either judge" if len(judges) > 1 else "the judge"), (all, "both judges")):
            if who == "both judges" and len(judges) == 1:
                continue
            count = sum(among(bool(one[cell][name]) for one in judges) for cell in cells)
            lines.append(f"{count} of {len(cells)} cells {meaning}, as {who} said: {_rate(count, len(cells))}")
    return "\n".join(lines)


def read_verdicts(path: Path) -> list[bool]:
    """Read a judged sample of version 1.0: the drawn columns and one more, `verdict`, which is right or wrong.

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
    return f"{wrong} of {cells} cells wrong: {_rate(wrong, cells)}"


def _rate(count: int, cells: int) -> str:
    low, high = exact_interval(count, cells)
    return f"{count / cells:.2%} (95 % interval {low:.2%} to {high:.2%}, Clopper-Pearson)"
