"""The page: what can be found, what was found, and what the arms hold; from the small files alone."""

from __future__ import annotations

from pathlib import Path

from examples.replication.analysis import analyse, power
from examples.replication.artifacts import DOCUMENTS, PILOT, Documents, Training, Tries
from examples.replication.conclusion import conclusion
from examples.replication.sections import behaviours, curves, detectable, endpoint, held, record, unseen
from examples.replication.settings import NONE, Settings
from pivotlens.artifacts.files import remove_tree, write_bytes
from pivotlens.errors import PrerequisiteError
from pivotlens.report.markdown import FIGURES, MarkdownReport
from pivotlens.report.page import Chapter, Page

_TITLE = "Do pivot-rich documents help? A field experiment"
_NOTE = "<!-- Written by `python -m examples.replication RUN --page` from results/; do not edit. -->"
DEVIATIONS = "deviations.md"
"""What was done otherwise than preregistered, beside the page; nothing where it is not there."""


def write_page(settings: Settings, home: Path) -> None:
    """Write ``results.md`` and its figures from ``results/``.

    Raises:
        PrerequisiteError: A result is not there.
        ArtifactError: One is damaged, or follows from other settings.
    """
    text, drawn = page(settings, home)
    remove_tree(home / FIGURES)
    for name, svg in drawn.items():
        (home / FIGURES).mkdir(exist_ok=True)
        write_bytes(home / FIGURES / name, svg.encode())
    write_bytes(home / "results.md", text.encode())


def page(settings: Settings, home: Path) -> tuple[str, dict[str, str]]:
    """Return the page and its figures by file name; errors as `write_page`."""
    tries, documents, trainings = _read(settings, home / "results")
    found, can = analyse(settings, trainings), power(settings, tries)
    told = home / DEVIATIONS
    sections = (
        detectable(settings, tries, can),
        endpoint(settings, found),
        curves(settings, found),
        unseen(found),
        behaviours(settings, found),
        held(documents),
        record(settings, found, told.read_text(encoding="utf-8") if told.is_file() else ""),
    )
    chapter = Chapter("", {}, (), tuple(conclusion(settings, found, can)), (), (), sections)
    report = MarkdownReport(Page(_TITLE, "", (), (), None, (chapter,), {}, 0, 0))
    head, _, rest = report.text().partition("\n")
    return f"{head}\n{_NOTE}\n{rest}", report.figures


def _read(settings: Settings, results: Path) -> tuple[Tries, Documents, list[Training]]:
    of = settings.fingerprint
    tries, documents = Tries.read(results / PILOT, of), Documents.read(results / DOCUMENTS, of)
    names = [NONE, *(f"{arm}-{seed}" for arm, seeds in settings.seeds.items() for seed in range(seeds))]
    trainings = [Training.read(results / f"{name}.json", of) for name in names]
    there = [one for one in trainings if one is not None]
    if tries is None or documents is None or len(there) < len(names):
        found = dict(zip([PILOT, DOCUMENTS, *names], [tries, documents, *trainings], strict=True))
        missing = [name for name, one in found.items() if one is None]
        raise PrerequisiteError(
            f"{results} lacks {len(missing)} results, the first is {missing[0]}",
            "Run the experiment; it goes on from what is there.",
        )
    return tries, documents, there
