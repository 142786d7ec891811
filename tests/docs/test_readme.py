import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_every_verb_and_page_is_named():
    for page in ("docs/cli.md", "docs/configuration.md", "docs/tables.md", "docs/trace.svg", "CONTRIBUTING.md"):
        assert page in README
        assert (Path(__file__).parents[2] / page).is_file()


@pytest.mark.slow
def test_python_example_runs(tmp_path, monkeypatch):
    """Runs the example as it stands, on the real model that it names."""
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    assert names["trace"].table("behaviours").num_rows > 0
    assert names["lens"].n_layers == 31
