"""Write docs/results/*.md: reports in Markdown of the runs beside them, and nothing else.

python -m tools.write_results                             # every page again, from what is beside it
python -m tools.write_results take RUN TO --of STAGE …    # keep a run's small tables in docs/results/TO

``take`` copies the manifests of a run, and of the stages that it names the tables that a page shows, or those of them
that ``--tables`` names; a manifest lists no other. ``--without`` is left out where a setting begins with it, such as
the folder of a corpus.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pivotlens.artifacts.manifest import MANIFEST, Manifest, read_manifest
from pivotlens.report import ReportConfig
from pivotlens.report.beside import load_comparisons
from pivotlens.report.markdown import markdown
from pivotlens.report.page import build_page
from pivotlens.report.run_tables import RunTables
from tools.results_pages import RESULTS

KEPT: dict[str, tuple[str, ...]] = {
    "bench": (),
    "score": ("summary", "strata"),
    "lens": ("layers",),
    "trace": (
        "agreement", "deciding_tokens", "labels", "lens_layers", "lens_shares", "mined_recall", "pivot_counts",
        "pivot_languages", "pivot_links", "pivot_summary", "profiles", "rules", "sensitivity", "strata", "summary",
        "thresholds",
    ),
    "ablate": ("conditions", "doses", "effects", "removals", "side_effects", "windows"),
    "count": ("languages",),
    "query": ("agreement", "differences", "directions", "languages"),
    "mine": ("summary",),
    "attribute": ("auc", "bins", "joint", "predictors", "significance", "tests"),
}  # fmt: skip
"""Tables of each stage that a results page shows."""


@dataclass(frozen=True)
class ResultsPage:
    """A page: its title, and its runs by name as folders beside its introduction, the first one first."""

    title: str
    runs: dict[str, str]
    comparisons: tuple[str, ...] = ()


PAGES = {
    "word-translation": ResultsPage(
        "Word translation: results",
        {
            "Gemma-3-270M": "gemma-3-270m@1.1",
            "SmolLM2-135M": "smollm2-135m@1.1",
            "Gemma-3-270M, list 1.0": "gemma-3-270m@1.0",
        },
        ("comparison.json",),
    ),
    "behaviours": ResultsPage(
        "Direct, or through a pivot?",
        {"English prompt": "english@1.1", "native prompt": "native@1.1", "bare prompt": "bare@1.1"},
    ),
    "pivot-causality": ResultsPage(
        "Is the pivot causal?", {"English prompt": "english@1.1", "native prompt": "native@1.1"}
    ),
    "corpus-and-model": ResultsPage(
        "Do the pivots of a corpus meet the pivots of a model?", {"English prompt": "english@1.1"}
    ),
    "attribution": ResultsPage(
        "Attribution: do a corpus's counts tell direct from semantic-pivot items?",
        {"English prompt": "english@1.1"},
    ),
    "index-counts": ResultsPage(
        "Counts of an infini-gram index beside those of the corpus",
        {
            "Gemma's tokenizer": "gemma",
            "Gemma's, at the beginning of lines too": "gemma-four-forms",
            "SmolLM2's tokenizer": "smollm2",
        },
    ),
}


def written(name: str, results: Path = RESULTS) -> dict[str, str]:
    """Return the files of a page by their paths within docs/results: the page, and its figures."""
    page, folder = PAGES[name], results / name
    config = ReportConfig(
        title=page.title,
        introduction=str(folder / "introduction.md"),
        comparisons=tuple(str(folder / path) for path in page.comparisons),
    )
    runs = [(run, RunTables.load(folder / where)) for run, where in page.runs.items()]
    text, figures = markdown(build_page(config, runs, load_comparisons(config)))
    head, _, rest = text.replace("](figures/", f"]({name}/figures/").partition("\n")
    note = f"<!-- Written by `make results` from docs/results/{name}; do not edit. -->"
    return {f"{name}.md": f"{head}\n{note}\n{rest}"} | {f"{name}/figures/{file}": svg for file, svg in figures.items()}


def take(run: Path, to: Path, of: Collection[str], without: str = "", only: Collection[str] = ()) -> None:
    """Keep the manifests of a run's finished stages, and what the pages show of some of them."""
    for stage, tables in KEPT.items():
        manifest = read_manifest(run / stage)
        if manifest is None:
            continue
        shutil.rmtree(to / stage, ignore_errors=True)
        (to / stage).mkdir(parents=True)
        known = (f"{table}.parquet" for table in tables if stage in of and (not only or f"{stage}/{table}" in only))
        names = [name for name in known if name in manifest.outputs]
        for name in names:
            shutil.copy(run / stage / name, to / stage / name)
        content = _without(manifest.model_dump(), without)
        content["outputs"] = {name: content["outputs"][name] for name in names}
        (to / stage / MANIFEST).write_bytes(Manifest.model_validate(content).to_bytes())


def _without(value: Any, prefix: str) -> Any:
    if isinstance(value, dict):
        return {key: _without(each, prefix) for key, each in value.items()}
    if isinstance(value, list):
        return [_without(each, prefix) for each in value]
    return value.removeprefix(prefix) if isinstance(value, str) and prefix else value


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages, or take what they need from a run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb")
    taking = verbs.add_parser("take", help="keep a run's small tables")
    taking.add_argument("run", type=Path, help="run folder")
    taking.add_argument("to", help="folder within docs/results, such as behaviours/english@1.1")
    taking.add_argument("--of", nargs="+", default=(), choices=KEPT, help="stages whose tables are kept")
    taking.add_argument("--tables", nargs="+", default=(), help="of these only those, such as trace/profiles")
    taking.add_argument("--without", default="", help="left out at the start of settings")
    options = parser.parse_args(arguments)
    if options.verb == "take":
        take(options.run, RESULTS / options.to, options.of, options.without, options.tables)
        return 0
    for name in PAGES:
        shutil.rmtree(RESULTS / name / "figures", ignore_errors=True)
        for path, text in written(name).items():
            (RESULTS / path).parent.mkdir(parents=True, exist_ok=True)
            (RESULTS / path).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
