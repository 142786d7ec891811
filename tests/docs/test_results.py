"""The results pages follow from the run folders beside them."""

import re
from xml.etree import ElementTree

import pytest
from tools.behaviour_labels import page as behaviour_labels
from tools.results_pages import RESULTS
from tools.word_agreement import page as word_agreement
from tools.write_results import PAGES, take, written

from examples.known_truth.kept import load_kept
from examples.known_truth.page import page as known_truth
from pivotlens.artifacts import Trace
from pivotlens.artifacts.manifest import read_manifest


@pytest.mark.parametrize("name", PAGES)
def test_a_page_and_its_figures_are_up_to_date(name):
    found = written(name)
    there = {f"{name}.md", *(f"{name}/figures/{path.name}" for path in (RESULTS / name / "figures").glob("*"))}
    assert set(found) == there
    for path, text in found.items():
        assert (RESULTS / path).read_text(encoding="utf-8") == text, "run `make results`"
        if path.endswith(".svg"):
            ElementTree.fromstring(text)


def test_no_page_has_a_placeholder_or_a_missing_name():
    for path in RESULTS.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\{[a-z_]+\}|\|\s*None\s*\||≥ None", text), path


def test_the_page_of_the_labelled_items_is_up_to_date():
    assert behaviour_labels.PAGE.read_text(encoding="utf-8") == behaviour_labels.page()


def test_the_page_of_words_against_segmenters_is_up_to_date():
    assert word_agreement.PAGE.read_text(encoding="utf-8") == word_agreement.page()


def test_the_page_of_the_known_truth_is_up_to_date():
    kept, first = "examples/known_truth/results", "examples/known_truth/results-first-pass"
    text = (RESULTS / "known-truth.md").read_text(encoding="utf-8")
    folder = RESULTS.parent.parent
    found = known_truth(load_kept(folder / kept), kept, load_kept(folder / first))
    assert text == found, f"python -m examples.known_truth.page {kept} docs/results/known-truth.md {first}"


def test_no_page_names_a_folder_of_the_machine_it_was_made_on():
    for path in RESULTS.rglob("*"):
        if path.suffix in (".json", ".md"):
            assert "/work/" not in path.read_text(encoding="utf-8"), path


def test_small_tables_are_taken_of_the_named_stages_alone(tmp_path):
    run = RESULTS / "behaviours" / "english@1.1"
    take(run, tmp_path, ["trace"], "word-")
    assert sorted(path.name for path in (tmp_path / "lens").iterdir()) == ["manifest.json"]
    assert read_manifest(tmp_path / "bench").config["words"] == "translation"
    assert (tmp_path / "trace/strata.parquet").read_bytes() == (run / "trace/strata.parquet").read_bytes()
    assert Trace.load(tmp_path).rows("labels") == Trace.load(run).rows("labels")
    assert set(read_manifest(tmp_path / "trace").outputs) == {path.name for path in (tmp_path / "trace").glob("*.p*")}
