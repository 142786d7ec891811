"""The results page follows from the artifacts beside it."""

from tools.score_results import DATA, PAGE, page


def test_the_results_page_is_up_to_date():
    assert any(DATA.glob("*/summary.parquet"))
    assert PAGE.read_text(encoding="utf-8") == page()
