"""The table of languages of arms counts what identifiers say, and the shares that the selection found."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.conftest import MinedRun
from tools.arm_languages import elsewhere, identifiers, main, table

from pivotlens import select_documents
from pivotlens.select import SelectConfig

TEXTS = {
    "fr": "L'installateur demande un mot de passe avant de continuer, puis il affiche la liste de tous les fichiers.",
    "en": "The installer asks for a password before it continues, and then it shows the list of all files.",
    "zh": "安装程序在继续之前会要求输入密码，然后显示所有文件的列表。",
}


def test_units_in_another_language_and_in_none() -> None:
    said = {"a": "fr", "b": "en", "c": "", "d": "zh"}
    documents = [{"text": text, "language": "fr"} for text in "aabc"] + [{"text": "d", "language": "zh-Hant"}]
    assert elsewhere(documents, said.__getitem__) == {"fr": 0.25, "zh-Hant": 0.0}


@pytest.mark.parametrize(("name", "package"), [("CLD2", "pycld2"), ("lid.176", "fasttext")])
def test_identifiers_that_are_installed(name: str, package: str) -> None:
    pytest.importorskip(package)
    identify = identifiers()[name]
    assert {language: identify(f"\x07{text}\n") for language, text in TEXTS.items()} == {code: code for code in TEXTS}
    assert identify("") in ("", "en")


def test_table_of_a_run(mined: MinedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for stage in ("bench", "count", "mine"):
        (tmp_path / stage).symlink_to(mined.run / stage)
    config = SelectConfig(corpus=str(mined.corpus), tokenizer=str(mined.model), unit_characters=256, budget_tokens=400,
                          min_tokens=8, arms=("top", "random"), shortage="take_all")  # fmt: skip
    selection = select_documents(config, tmp_path)
    lines = table(selection, {"first": lambda _: "en", "second": lambda _: ""}).splitlines()
    assert (
        lines[0]
        == "| | corpus | `top` | `random` | `top`: first / second elsewhere | `random`: first / second elsewhere |"
    )
    units = Counter(document["language"] for document in selection.arm("top"))
    assert len(lines) == 2 + len(units)
    for line in lines[2:]:
        language, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        assert cells[3] == f"{0 if language == 'en' else 100} / 0 %"
        [share] = [row["language_share"] for row in selection.rows("summary", arm="top", language=language)]
        assert cells[1] == f"{share:.3f}".removeprefix("0")
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("| | corpus | `top` | `random` |")
