"""docs/method.md is what the code cites, and names all that the code can be asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from pivotlens.ablate.effects import CONTROLS, ITEM_SETS
from pivotlens.attribute.predictors import PREDICTORS
from pivotlens.pipeline import stage_configs
from pivotlens.score.summary import FIGURES
from pivotlens.settings.base import StageConfig
from pivotlens.trace import behaviours
from pivotlens.trace.pivot_languages import LANGUAGE_KINDS
from pivotlens.trace.reading import MASSES

ROOT = Path(__file__).parents[2]
METHOD = ROOT / "docs" / "method.md"
LABELS = {
    behaviours.DIRECT,
    behaviours.COPY,
    behaviours.SOURCE_OR_ENGLISH,
    behaviours.SEMANTIC_PIVOT,
    behaviours.OTHER,
    behaviours.NONE,
    behaviours.DROPPED,
}
PAGES = ("method", "glossary")


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def citations() -> Iterator[tuple[Path, str]]:
    """Yield each citation of the page in the source, with the section that it names."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        for section in re.findall(r"docs/method\.md(?:#([\w-]*))?", path.read_text(encoding="utf-8")):
            yield path, section


def test_every_citation_in_the_source_names_a_section() -> None:
    known, found = anchors(METHOD), list(citations())
    assert len(found) > 20
    assert [(path.name, section) for path, section in found if section not in known] == []


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_sections(name: str) -> None:
    text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("https://"):
            continue
        file, _, section = target.partition("#")
        page = (ROOT / "docs" / file).resolve() if file else ROOT / "docs" / f"{name}.md"
        assert page.exists(), target
        assert not section or section in anchors(page), target


def test_the_source_cites_no_document_outside_the_repository() -> None:
    outside = re.compile(r"\b(METHOD|DESIGN)\b")
    found = [path.name for path in (ROOT / "src").rglob("*.py") if outside.search(path.read_text(encoding="utf-8"))]
    assert found == []


def choices(annotation: Any) -> Iterator[str]:
    """Yield the words of every `Literal` in an annotation."""
    if get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
    else:
        for inner in get_args(annotation):
            yield from choices(inner)


def modes(config: type[StageConfig]) -> Iterator[str]:
    """Yield the modes that a stage can be asked for; number types say nothing of the method."""
    for name, field in config.model_fields.items():
        if name != "dtype":
            yield from choices(field.annotation)


def test_the_page_names_what_the_code_knows() -> None:
    spans = re.findall(r"`([^`]+)`", METHOD.read_text(encoding="utf-8"))
    named = {span.rpartition(" = ")[2] for span in spans}  # `unit = document` names document
    rules = set(behaviours.rules(50.0, 0.1))
    asked = {mode for config in stage_configs().values() for mode in modes(config)}
    assert {"npmi", "paper", "top", "random", "english", "prefixes", "document", "scored"} <= asked
    known = rules | LABELS | asked | {*PREDICTORS, *LANGUAGE_KINDS, *MASSES, *FIGURES, *CONTROLS, *ITEM_SETS}
    assert sorted(known - named) == []


def test_the_page_has_the_defaults_of_the_code() -> None:
    text = METHOD.read_text(encoding="utf-8")
    stages = stage_configs()
    for stage, name, written in (
        ("trace", "threshold", "`threshold` (0.1)"),
        ("trace", "ratio", "`ratio` (50)"),
        ("mine", "min_df", "`min_df` (5)"),
        ("mine", "max_q", "`max_q` (0.05)"),
        ("mine", "max_null", "`max_null` (0.01)"),
        ("mine", "max_likeness", "`max_likeness` (0.5)"),
        ("mine", "shuffles", "`shuffles` (20)"),
        ("mine", "top", "`top` (20)"),
        ("count", "unit_characters", "`unit_characters` (8,192)"),
        ("count", "sample", "`sample` (2,000)"),
        ("count", "background", "`background` (2,000)"),
        ("attribute", "min_items", "`min_items` (20)"),
        ("select", "pivots", "`pivots` (500)"),
        ("select", "min_tokens", "`min_tokens` (32)"),
    ):
        default = stages[stage].model_fields[name].default
        assert written == f"`{name}` ({default:,g})", (stage, name)
        assert written in text, (stage, name)
