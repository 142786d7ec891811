"""The worked example of docs/interventions.md runs as it stands."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "interventions.md").read_text(encoding="utf-8")


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
