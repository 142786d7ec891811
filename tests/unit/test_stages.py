"""Everything about a stage follows from its declaration; adding one is shown by adding one."""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

import pivotlens
from pivotlens.cli.main import main
from pivotlens.errors import ConfigError
from pivotlens.pipeline import Pipeline
from pivotlens.settings import StageConfig
from pivotlens.stages import STAGES

ROOT = Path(__file__).parents[2]

# -- the declarations


@pytest.mark.parametrize("name", STAGES)
def test_a_declaration_leads_to_what_it_names(name):
    stage = STAGES[name]
    assert stage.name == name
    assert stage.result_class().stage == name
    assert stage.config.__module__ == f"pivotlens.{name}.config"
    assert issubclass(stage.config, StageConfig)
    for place in filter(None, (stage.work, stage.inputs)):
        module, _, function = place.partition(":")
        assert callable(getattr(importlib.import_module(module), function))
    order = list(STAGES)
    read = [
        *stage.reads,
        *(one for group in stage.reads_if_there for one in ((group,) if isinstance(group, str) else group)),
    ]
    assert all(order.index(one) < order.index(name) for one in read)


def test_all_public_functions_have_one_signature():
    for name, stage in STAGES.items():
        function = getattr(pivotlens, stage.function)
        found = inspect.signature(function)
        assert list(found.parameters) == ["config", "run", "origins"], name
        assert [parameter.default for parameter in found.parameters.values()] == [None, "run", None]
        assert found.parameters["origins"].kind is inspect.Parameter.KEYWORD_ONLY
        assert found.parameters["config"].annotation == f"{stage.config.__name__} | None"
        assert found.return_annotation == stage.result_class().__name__
        text = inspect.getdoc(function) or ""
        assert all(part in text for part in ("Args:\n", "    run: ", "Raises:\n")), name


def test_the_package_hands_on_every_stage():
    named = {name for stage in STAGES.values() for name in stage.public_names()}
    assert named <= set(pivotlens.__all__) == set(dir(pivotlens))
    assert all(getattr(pivotlens, name) is not None for name in named)
    source = (ROOT / "src/pivotlens/__init__.py").read_text(encoding="utf-8")
    assert [name for name in sorted(named) if f" {name}\n" not in source and f" {name},\n" not in source] == []


def test_the_import_contracts_name_every_stage():
    rooms = {f"pivotlens.{name}" for name in STAGES}
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    apart, harness, torch, _, reach, datatrove, _ = contracts
    assert set(apart["modules"]) == rooms
    assert rooms <= set(harness["source_modules"])
    assert rooms <= set(datatrove["source_modules"])
    assert rooms == set(reach["forbidden_modules"])
    light = {f"pivotlens.{name}" for name, stage in STAGES.items() if not stage.config.runs_model}
    assert rooms & set(torch["source_modules"]) == light


# -- a new one

ROOM = {
    "config": '''
from typing import ClassVar
from pivotlens.settings import StageConfig, setting

class EchoConfig(StageConfig):
    """Write the words of a language, one a line."""

    stage: ClassVar[str] = "echo"
    language: str = setting("fr", "Language of the words.")
''',
    "result": '''
from dataclasses import dataclass
from typing import ClassVar
from pivotlens.artifacts import StageResult

@dataclass(frozen=True)
class Echo(StageResult):
    stage: ClassVar[str] = "echo"
''',
    "stage": '''
from echo.config import EchoConfig
from pivotlens.stage import Stage

STAGE = Stage(
    config=EchoConfig, result="echo.result:Echo", version=1, function="echo_words", work="echo.run:run",
    reads=("bench",), examples=("pivotlens echo --run runs/first", "pivotlens echo --run runs/first --language en"),
)

def echo_words(config=None, run="run", *, origins=None):
    return STAGE(config, run, origins=origins)
''',
    "run": '''
from pivotlens.artifacts import Benchmark, write_bytes

def run(work):
    words = [concept.words[work.config.language] for concept in Benchmark.load(work.run).test_concepts()]
    write_bytes(work.writer.staged("words.txt", rows=len(words)), "\\n".join(words).encode())
    work.writer.warn("nobody read them")
    return {"words": len(words)}
''',
}  # fmt: skip


@pytest.fixture
def echo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[types.ModuleType]:
    """A stage that is not part of pivotlens, listed between the first and the last."""
    folder = tmp_path / "rooms" / "echo"
    folder.mkdir(parents=True)
    for name, source in {"__init__": "", **ROOM}.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder.parent))
    found = importlib.import_module("echo.stage")
    saved = dict(STAGES)
    STAGES.clear()
    STAGES.update({"bench": saved["bench"], "echo": found.STAGE, "report": saved["report"]})
    yield found
    STAGES.clear()
    STAGES.update(saved)
    for name in [name for name in sys.modules if name.partition(".")[0] == "echo"]:
        del sys.modules[name]


def test_a_new_stage_needs_its_room_and_the_list(echo, tiny, tmp_path, capsys):
    run, file = tmp_path / "run", tmp_path / "run.toml"
    file.write_text(f'[bench]\nwords = "{tiny.words}"\ndistractors = 4\nshot_pool = 8\n[echo]\nlanguage = "en"\n')
    plans = Pipeline.from_toml(file, run).plan()
    assert [(plan.stage, plan.reason) for plan in plans] == [(name, "no result yet") for name in STAGES]
    assert plans[1].inputs == {"bench": plans[0].fingerprint}
    assert main(["run", "--config", str(file), "--run", str(run)]) == 0
    assert (run / "echo" / "words.txt").read_text().splitlines()
    assert "nobody read them" in capsys.readouterr().err
    assert ">echo<" in (run / "report" / "report.html").read_text(encoding="utf-8")
    # It is there and fits, for the verb, the chain and the function alike.
    arguments = ["echo", "--run", str(run), "--language", "en"]
    assert main([*arguments, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["reused"], shown["outputs"], shown["details"]["words"] > 0) == (
        True,
        {"words.txt": shown["details"]["words"]},
        True,
    )
    assert [plan.reason for plan in Pipeline.from_toml(file, run).plan()] == [None, None, None]
    result = echo.echo_words(echo.EchoConfig(language="en"), run)
    assert result.manifest.fingerprint == plans[1].fingerprint
    # Other settings: refused by the verb, named, and then done.
    assert main(["echo", "--run", str(run)]) == 2
    assert "language: 'en' → 'fr'" in capsys.readouterr().err
    assert main(["echo", "--run", str(run), "--replace"]) == 0
    assert main(["verify", str(run)]) == 6  # the report is of the other one
    assert "V6 report" in capsys.readouterr().out
    assert main(["report", "--run", str(run)]) == 0
    assert main(["verify", str(run)]) == 0
    (run / "echo" / "words.txt").write_text("changed")
    assert main(["verify", str(run)]) == 6
    assert "V3 echo/words.txt" in capsys.readouterr().out
    # What it reads must be there.
    assert main(["echo", "--run", str(tmp_path / "other")]) == 3
    assert "echo needs the result of 'bench'" in capsys.readouterr().err
    assert main(["echo", "--help"]) == 0
    page = capsys.readouterr().out
    assert "pivotlens echo --run runs/first --language en" in page
    assert "Language of the words." in page


def test_what_a_chain_does_not_run_is_read_from_the_folder(echo, tiny, tmp_path):
    """A result of an earlier run is no other input because the chain leaves its stage out."""
    run = tmp_path / "run"
    values = {"bench": {"words": str(tiny.words), "distractors": 4, "shot_pool": 8}}
    whole = Pipeline.from_mapping(values, "x", run)
    whole.run()
    less = Pipeline(run, {name: config for name, config in whole.configs.items() if name != "echo"}, whole.origins)
    assert [plan.reason for plan in less.plan()] == [None, None]


@pytest.mark.parametrize("name", STAGES)
def test_settings_of_another_stage_are_refused(name, tmp_path):
    stage = STAGES[name]
    function = getattr(pivotlens, stage.function)
    other = next(other for other in STAGES.values() if other.name != name).config()
    for given in (other, {}, "run", tmp_path):
        with pytest.raises(ConfigError, match=f"{stage.function} was given {type(given).__name__} as its settings"):
            function(given, tmp_path)
