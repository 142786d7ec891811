"""The results pages follow from the artifacts beside them."""

from tools import ablate_results
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
