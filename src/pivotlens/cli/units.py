"""`pivotlens units`: from a count or a pivot to the units of the corpus that hold it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from rich.padding import Padding
from rich.text import Text

from pivotlens.cli.terminal import print_json, results_console
from pivotlens.cli.verbs import Json, help_text
from pivotlens.errors import ConfigError
from pivotlens.text import escape_controls

if TYPE_CHECKING:
    from pivotlens.count.lookup import Found, Unit

EXAMPLES = (
    "pivotlens units runs/demo --pair fr-en:water",
    "pivotlens units runs/demo --word fr:eau --language fr --rows 3",
    "pivotlens units runs/demo --pair fr-zh:water --pivot water --json",
)
_SUMMARY = "Show the units of the corpus behind a count or a pivot: file, row and text, with what was found marked."
_AROUND = 60
_SHOWN = 4
_NOT_JOINED = "\u200c"  # Persian writes words with it, and it moves nothing


def _option(said: str) -> Parameter:
    return Parameter(help=said, negative="", show_default=False)


@Parameter(name="*")
@dataclass(frozen=True)
class Sought:
    """What units are to hold."""

    word: Annotated[
        tuple[str, ...], _option("A counted word, as LANGUAGE:WORD; several: units that hold all of them.")
    ] = ()
    pair: Annotated[str, _option("Both words of a concept, as SOURCE-TARGET:CONCEPT.")] = ""
    token: Annotated[str, _option("A counted token, with its leading space.")] = ""
    pivot: Annotated[
        str, _option("A mined pivot: of the pair that is given, or of the corpus; with all its variants.")
    ] = ""
    language: Annotated[str, _option("Only units that are found to be in this language.")] = ""


_NOTHING = Sought()


def add(app: App) -> None:
    """Add the verb."""
    app.command(units, name="units", help=help_text(_SUMMARY, EXAMPLES))


def units(
    run: Annotated[Path, Parameter(help="Run folder with bench and count, and mine for pivots.")],
    *,
    sought: Sought = _NOTHING,
    rows: Annotated[int, Parameter(help="Units to show; the corpus is read no further than to the last of them.")] = 10,
    corpus: Annotated[str, _option("Where the corpus lies now, if it was moved.")] = "",
    json: Json = False,
) -> None:
    """Show the units behind a count."""
    from pivotlens.count.asking import Asked, wanted_units
    from pivotlens.count.lookup import find_units, open_counted

    if rows < 1:
        raise ConfigError(f"--rows {rows} shows nothing", "Give 1 or more.")
    wanted = wanted_units(run, Asked(sought.word, sought.pair, sought.token, sought.pivot, sought.language))
    found = find_units(open_counted(run, corpus), wanted, rows)
    if json:
        print_json([asdict(one) for one in found])
        return
    for one in found:
        _print(one)


def _print(found: Found) -> None:
    console = results_console()
    counted, shown = found.wanted.counted, len(found.units)
    if found.complete:
        said = f"{shown:,} units" if shown != 1 else "1 unit"
    else:
        said = f"the first {shown:,}" + (f" of {counted:,} units" if counted is not None else " units")
    console.print(Text(f"{escape_controls(found.wanted.title)}: {said}"), soft_wrap=True)
    for unit in found.units:
        labelled = "" if unit.label == unit.language else f", labelled {unit.label}"
        where = f"{unit.file}, row {unit.row:,}, unit {unit.unit} ({unit.language}{labelled})"
        console.print()
        console.print(Text(escape_controls(where), style="dim"), soft_wrap=True)
        console.print(Padding(_excerpt(unit, brackets=not console.is_terminal), (0, 0, 0, 4)))


def _excerpt(unit: Unit, *, brackets: bool) -> Text:
    """Return the text around what was found, which is set off by style, or by brackets where there is none."""
    from pivotlens.count.lookup import marked
    from pivotlens.text.marking import Span, excerpts

    spans = marked(unit)
    first = [min(mark for mark in unit.marks if mark.what == what) for what in {mark.what for mark in unit.marks}]
    wanted = sorted(Span(mark.start, mark.end) for mark in first)
    stretches = excerpts(unit.text, wanted, _AROUND, _SHOWN) or [Span(0, min(len(unit.text), 4 * _AROUND))]
    shown = Text()
    for stretch in stretches:
        shown.append("… " if stretch.start else "")
        place = stretch.start
        for span in spans:
            if stretch.start <= span.start and span.end <= stretch.end:
                shown.append(_plain(unit.text[place : span.start]))
                words = _plain(unit.text[span.start : span.end])
                shown.append(f"[{words}]" if brackets else words, style="bold reverse")
                place = span.end
        shown.append(_plain(unit.text[place : stretch.end]))
        shown.append(" … " if stretch.end < len(unit.text) else "")
    return shown


def _plain(text: str) -> str:
    """Return text of the corpus on one line, with nothing in it that a terminal would act on."""
    begins, ends = text[:1].isspace(), text[-1:].isspace()
    words = " ".join(text.split())
    return escape_controls(f"{' ' * begins}{words}{' ' * (ends and bool(words))}", keep=_NOT_JOINED)
