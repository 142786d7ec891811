"""The worked examples of docs/interventions.md and docs/trace.md run as they stand."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "interventions.md").read_text(encoding="utf-8")
TRACE_PAGE = (DOCS / "trace.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_example_runs():
    """On the real model that it names."""
    _, code = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code, "interventions.md", "exec"), names)
    after = names["after"]
    assert after[0.0] == names["before"]
    assert after[1.0] != names["before"]
    assert after[2.0] != after[1.0]


def test_what_the_page_names_is_there():
    from pivotlens.models import intervention
    from pivotlens.models.lens import LogitLens

    for name in re.findall(r"^\| `(?:lens\.)?(\w+)\(", PAGE, flags=re.MULTILINE):
        assert hasattr(intervention, name) or hasattr(LogitLens, name), name


@pytest.mark.slow
def test_the_example_of_reading_layers_runs(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", TRACE_PAGE, flags=re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code, "trace.md", "exec"), names)
    lens = names["lens"]
    assert names["probabilities"].shape[0] == lens.n_layers
    assert len(capsys.readouterr().out.splitlines()) == lens.n_layers


def test_labels_and_rules_are_those_of_the_code():
    from pivotlens.report.names import BEHAVIOUR_NAMES
    from pivotlens.trace.behaviours import rule_rows
    from pivotlens.trace.config import TraceConfig

    assert all(f"`{name}`" in TRACE_PAGE for name in BEHAVIOUR_NAMES)
    listed = TRACE_PAGE.partition("## Rules")[2].partition("\n\nA token")[0]
    assert re.findall(r"^\| `(\w+)` \|", listed, flags=re.MULTILINE) == [row["rule"] for row in rule_rows()]
    defaults = TraceConfig(model="none")
    assert f"`threshold` ({defaults.threshold:g})" in TRACE_PAGE
    assert f"`ratio` ({defaults.ratio:g})" in TRACE_PAGE
