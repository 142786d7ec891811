"""The results pages follow from the artifacts beside them."""

from xml.etree import ElementTree

from tools import ablate_results, attribution_results, trace_results
from tools.behaviour_labels import page as behaviour_labels
from tools.score_results import DATA, PAGE, page


def test_the_results_page_is_up_to_date():
    assert any(DATA.glob("*/summary.parquet"))
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_page_of_the_labelled_items_is_up_to_date():
    assert behaviour_labels.PAGE.read_text(encoding="utf-8") == behaviour_labels.page()


def test_the_page_on_causality_is_up_to_date():
    assert any(ablate_results.DATA.glob("*/conditions.parquet"))
    assert ablate_results.PAGE.read_text(encoding="utf-8") == ablate_results.page()


def test_the_page_on_behaviours_is_up_to_date():
    assert any(trace_results.DATA.glob("*/strata.parquet"))
    assert trace_results.PAGE.read_text(encoding="utf-8") == trace_results.page()


def test_the_page_on_attribution_and_its_figures_are_up_to_date():
    assert (attribution_results.DATA / "auc.parquet").exists()
    assert attribution_results.PAGE.read_text(encoding="utf-8") == attribution_results.page()
    drawn = attribution_results.figures()
    assert {path.name for path in attribution_results.DATA.glob("*.svg")} == set(drawn)
    for name, svg in drawn.items():
        assert (attribution_results.DATA / name).read_text(encoding="utf-8") == svg
        ElementTree.fromstring(svg)
