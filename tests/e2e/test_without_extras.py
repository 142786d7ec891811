"""Without the extras: exit code 3, a line that installs what is missing, and no work before it is said."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import environment

import pivotlens
from pivotlens import extras
from pivotlens.errors import PrerequisiteError
from pivotlens.harness.tokens import tokenizer_of
from pivotlens.models.load import load_model
from pivotlens.models.resolve import resolve_model

PREREQUISITE = 3
Done = subprocess.CompletedProcess[str]
_WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {packages!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from pivotlens.cli.main import main
raise SystemExit(main(sys.argv[1:]))
"""
_LINE = r"`pip install ('[a-z-]+[>=<][^']*' ?)*'torch>=[^']*' ('[^']*' ?)*`"


def call_without(packages: list[str], *arguments: object, cache: Path | None = None) -> Done:
    """Run the command line in a process that cannot import some packages."""
    code = _WITHOUT.format(packages=packages)
    command = [sys.executable, "-c", code, *map(str, arguments)]
    env = environment({} if cache is None else {"PIVOTLENS_CACHE": str(cache)})
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False, timeout=120)


def said(done: Done) -> str:
    assert done.returncode == PREREQUISITE, done.stderr
    assert "Traceback" not in done.stderr
    error = " ".join(done.stderr[done.stderr.index("Error: ") :].split())
    assert re.search(_LINE, error), error
    assert "pivotlens[models]" in error
    return error


@pytest.mark.parametrize("stage", ["score", "lens", "trace", "ablate"])
@pytest.mark.parametrize("packages", [["torch"], ["torch", "transformers", "safetensors"]])
def test_a_stage_that_runs_a_model(stage, packages, tiny, run_until, uninterrupted):
    run = run_until("report" if stage == "lens" else stage)
    done = call_without(packages, stage, "--run", run, "--config", tiny.config)
    assert f"`pivotlens {stage}` needs {' and '.join(packages[:1])}" in said(done)
    assert not (run / stage).exists()
    assert not list(run.glob(".*"))


def test_what_is_finished_is_reused_without_them(tiny, uninterrupted):
    done = call_without(["torch", "transformers"], "run", "--config", tiny.config, "--run", uninterrupted)
    assert done.returncode == 0, done.stderr
    assert "Nothing to do" in done.stderr


@pytest.mark.parametrize("stage", ["bench", "count", "mine", "attribute", "select", "report"])
def test_what_runs_no_model_needs_none_of_them(stage, tiny, run_until):
    run = run_until(stage)
    packages = ["torch", "transformers", "safetensors", "accelerate", "gguf", "pandas", "peft", "lm_eval", "datasets"]
    done = call_without(packages, stage, "--run", run, "--config", tiny.config)
    assert done.returncode == 0, done.stderr
    assert (run / stage / "manifest.json").is_file()


def test_a_chain_says_it_before_its_first_stage(tiny, tmp_path):
    done = call_without(["transformers"], "run", "--config", tiny.config, "--run", tmp_path / "run")
    assert "`pivotlens score` needs transformers, which is not installed" in said(done)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("packages", "extra"), [(["lm_eval"], "eval"), (["datasets"], "eval"), (["torch"], "models")])
def test_an_evaluation_says_it_before_any_work(packages, extra, tiny, tmp_path):
    done = call_without(packages, "evaluate", "--run", tmp_path / "run", "--model", tiny.model)
    assert done.returncode == PREREQUISITE, done.stderr
    error = " ".join(done.stderr.split())
    assert f"`pivotlens evaluate` needs {packages[0]}, which is not installed" in error
    assert f"pivotlens[{extra}] holds: `pip install '" in error
    assert not (tmp_path / "run").exists()


def test_comparing_needs_no_extra(tmp_path):
    folder = Path(__file__).parents[1] / "harness_outputs"
    packages = ["torch", "transformers", "safetensors", "lm_eval", "datasets", "pandas", "sacrebleu"]
    done = call_without(packages, "compare", folder / "smollm2-135m", folder / "smollm2-135m-4bit", "--json")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", ["torch", "gguf"])
def test_the_demo_says_it_before_it_fetches_anything(package, tmp_path):
    done = call_without([package], "demo", "--run", tmp_path / "run", cache=tmp_path / "cache")
    assert f"needs {package}, which is not installed" in said(done)
    assert not (tmp_path / "cache").exists()
    assert not (tmp_path / "run" / "count").exists()
    assert package == "gguf" or not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["load_model", "LogitLens", "TunedLens"])
def test_what_reads_a_model_from_python(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(PrerequisiteError, match=rf"pivotlens\.{name} needs torch, which is not installed"):
        getattr(pivotlens, name)


def test_a_package_whose_import_is_forbidden_is_not_installed(monkeypatch):
    class Blocker:
        def find_spec(self, name, path=None, target=None):
            if name == "torch":
                raise ImportError("torch is blocked")

    monkeypatch.setattr(sys, "meta_path", [Blocker(), *sys.meta_path])
    monkeypatch.delitem(sys.modules, "torch")
    assert not extras.is_installed("torch")


def test_a_gguf_file_without_what_converts_it(tmp_path, monkeypatch):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(PrerequisiteError, match=r"converting model\.gguf needs gguf"):
        resolve_model(str(path))


def test_a_package_that_a_model_asks_for(tiny, monkeypatch):
    from pivotlens.models import load

    def needs(*_, **__):
        raise ImportError("This model requires `bitsandbytes`")

    monkeypatch.setattr(load.AutoModelForCausalLM, "from_pretrained", needs)
    with pytest.raises(PrerequisiteError, match="requires `bitsandbytes`"):
        load_model(str(tiny.model), device="cpu")


def test_the_harness_without_transformers(tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(PrerequisiteError, match="needs transformers"):
        tokenizer_of({"pretrained": str(tiny.model)})


def test_the_line_needs_no_index_that_holds_pivotlens():
    line = extras.install_line("models")
    assert line.startswith("pip install '")
    assert "pivotlens" not in line
    assert Path(line.split("'")[1]).name == line.split("'")[1]  # packages, not paths
    assert "lm-eval" in extras.install_line("eval")
