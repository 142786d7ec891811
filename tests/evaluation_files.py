"""Small data of our own making in the formats of XNLI, XCOPA and FLORES, for tasks of lm-evaluation-harness."""

from __future__ import annotations

from pathlib import Path

import orjson

_PEOPLE = {"en": ("The teacher", "My brother", "A nurse", "The old man"),
           "fr": ("Le professeur", "Mon frère", "Une infirmière", "Le vieil homme")}  # fmt: skip
_ACTS = {
    "en": (("bought bread", "was in a shop", "stayed at home"), ("read a book", "could read", "could not read"),
           ("drove to the lake", "left the house", "walked to the lake")),
    "fr": (("a acheté du pain", "était dans un magasin", "est resté chez lui"),
           ("a lu un livre", "savait lire", "ne savait pas lire"),
           ("a roulé jusqu'au lac", "a quitté la maison", "a marché jusqu'au lac")),
}  # fmt: skip
_LIKES = {"en": "likes the place", "fr": "aime cet endroit"}


def write_lines(path: Path, rows: list[dict[str, object]]) -> Path:
    """Write rows as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


def write_xnli(path: Path, language: str = "en") -> Path:
    """Write 36 documents as XNLI has them: of each premise what follows (0), what may be (1), what cannot be (2)."""
    rows = []
    for person in _PEOPLE[language]:
        for act, follows, contradicts in _ACTS[language]:
            for label, said in enumerate((follows, _LIKES[language], contradicts)):
                rows.append({"premise": f"{person} {act}.", "hypothesis": f"{person} {said}.", "label": label})
    return write_lines(path, rows)


def write_xcopa(path: Path) -> Path:
    """Write 24 documents as XCOPA has them, in Italian: a premise and its cause or effect."""
    people, told = ("Il gatto", "La donna", "Mio zio", "Il bambino"), (
        ("aveva fame", "ha mangiato", "ha dormito"),
        ("era stanco", "è andato a letto", "ha corso"),
        ("ha perso le chiavi", "le ha cercate", "ha cantato"),
    )  # fmt: skip
    rows: list[dict[str, object]] = []
    for person in people:
        for cause, right, wrong in told:
            for question in ("effect", "cause"):
                premise, answer = (cause, right) if question == "effect" else (right, cause)
                label = len(rows) % 2
                choices = (wrong, answer) if label else (answer, wrong)
                rows.append({"premise": f"{person} {premise}.", "choice1": f"{person} {choices[0]}.",
                             "choice2": f"{person} {choices[1]}.", "question": question, "label": label,
                             "idx": len(rows), "changed": False})  # fmt: skip
    return write_lines(path, rows)


def write_flores(path: Path) -> Path:
    """Write 8 documents as FLORES has them: a sentence in every language, two an article."""
    rows: list[dict[str, object]] = [
        {"id": number, "URL": f"https://example.org/{number // 2}", "sentence_eng_Latn": f"{person} {act[0]}.",
         "sentence_spa_Latn": f"Frase {number} en español.", "sentence_fra_Latn": f"{_PEOPLE['fr'][number % 4]}."}
        for number, (person, act) in enumerate((p, a) for p in _PEOPLE["en"] for a in _ACTS["en"][:2])
    ]  # fmt: skip
    return write_lines(path, rows)
