"""In which languages the text of arms is, by us and by two identifiers that read each unit as a whole.

``python -m tools.arm_languages RUN`` prints the table of docs/method.md#on-a-partly-translated-corpus: of each language
and arm the share of text that is in the language, as the selection found it, and the share of units whose text is in
another one by CLD2 (package ``pycld2`` 0.42) and by fastText's lid.176 (package ``fasttext-predict`` 0.9.2.4, with the
model that pivotlens holds). What is not installed is left out of it; text that is in no language counts for its own.
"""

from __future__ import annotations

import argparse
import functools
import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pivotlens.artifacts import Selection
from pivotlens.errors import ConfigError
from pivotlens.select.facts import CORPUS
from pivotlens.text import language_code

Identify = Callable[[str], str]


def identifiers() -> dict[str, Identify]:
    """Return the identifiers whose packages are installed, by name; each returns a code, empty where it knows none."""
    known = {"CLD2": ("pycld2", _cld2), "lid.176": ("fasttext", _lid176)}
    return {name: identify for name, (package, identify) in known.items() if find_spec(package)}


def _cld2(text: str) -> str:
    cld2: Any = importlib.import_module("pycld2")
    printable = "".join(character for character in text if character.isprintable() or character.isspace())
    _, _, found = cld2.detect(printable)  # it refuses control characters
    return _base(found[0][1])


@functools.cache
def _fasttext() -> Any:
    model = resources.files("pivotlens.text") / "data" / "lid.176.ftz"
    return importlib.import_module("fasttext").load_model(str(model))


def _lid176(text: str) -> str:
    labels, _ = _fasttext().predict(" ".join(text.split()))
    return _base(labels[0].removeprefix("__label__")) if labels else ""


def _base(name: str) -> str:
    """Return the code of a language without script and region; empty where the name is none."""
    try:
        return "" if name == "un" else language_code(name).split("-")[0]
    except ConfigError:
        return ""


def elsewhere(documents: Iterable[Mapping[str, Any]], identify: Identify) -> dict[str, float]:
    """Return the share of an arm's units whose text is in another language than theirs, by language."""
    found: dict[str, list[bool]] = {}
    for document in documents:
        own = document["language"].split("-")[0]
        found.setdefault(document["language"], []).append(identify(document["text"]) not in (own, ""))
    return {language: sum(units) / len(units) for language, units in found.items()}


def table(selection: Selection, identify: Mapping[str, Identify]) -> str:
    """Return the table as Markdown."""
    names = (CORPUS, *selection.arms)
    own = {
        (row["arm"], row["language"]): row["share"]
        for row in selection.rows("composition")
        if row["facet"] == "text_language" and row["value"] == row["language"]
    }
    by_arm = {arm: [elsewhere(selection.arm(arm), one) for one in identify.values()] for arm in selection.arms}
    header = [*("corpus" if name == CORPUS else f"`{name}`" for name in names)]
    if identify:
        header += [f"`{arm}`: {' / '.join(identify)} elsewhere" for arm in selection.arms]
    rows = []
    for language in sorted({language for _, language in own}):
        cells = [f"{own[name, language]:.3f}".removeprefix("0") if (name, language) in own else "–" for name in names]
        for of_arm in by_arm.values() if identify else ():
            cells.append(
                " / ".join(f"{100 * found[language]:.0f}" if language in found else "–" for found in of_arm) + " %"
            )
        rows.append(f"| {language} | {' | '.join(cells)} |")
    return "\n".join([f"| | {' | '.join(header)} |", f"|---|{'---:|' * len(header)}", *rows])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table of a run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    print(table(Selection.load(parser.parse_args(arguments).run), identifiers()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
