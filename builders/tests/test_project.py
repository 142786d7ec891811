from __future__ import annotations

import tomllib
from pathlib import Path

from longer_words_sources import _OPENCC
from word_translation.lexicons import PINNED_PACKAGES

HERE = Path(__file__).resolve().parent.parent


def test_the_project_file_has_the_versions_that_the_builders_ask_for() -> None:
    extras = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert dict(line.split("==") for line in extras["words"]) == PINNED_PACKAGES
    (converter,) = extras["corpus"]
    assert _OPENCC.startswith(converter.replace("-", "_").replace("==", "-"))


def test_the_readme_names_every_builder() -> None:
    readme = (HERE / "README.md").read_text()
    packages = {path.parent.name for path in HERE.glob("*/__main__.py")}
    scripts = {path.stem for path in HERE.glob("*.py") if "__main__" in path.read_text()}
    assert packages | scripts == {
        "everyday_nouns", "longer_words", "open_desktop_corpus", "partly_translated_corpus", "sentence_translation",
        "word_frequencies",
        "word_translation",
    }  # fmt: skip
    assert all(f"`{name}" in readme for name in packages | scripts)
