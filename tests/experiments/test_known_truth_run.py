"""The experiment of known truth, whole, in a world that is tiny: from one command to the page."""

import subprocess
import sys
from dataclasses import replace

import pytest

from examples.known_truth import questions as ask
from examples.known_truth.__main__ import main as run_experiment
from examples.known_truth.chain import Effort
from examples.known_truth.check import check
from examples.known_truth.documents import Amounts
from examples.known_truth.kept import load_kept
from examples.known_truth.page import main as write_page
from examples.known_truth.page import page
from examples.known_truth.plan import MAIN, SELECTION, Scale, jobs
from examples.known_truth.selection import Pool
from examples.known_truth.words import FIRST, HUB, SECOND

AMOUNTS = Amounts(alone={HUB: 1}, lines=4, dose=8)
TINY = Scale(
    seeds=(1,),
    words=300,
    worlds={MAIN: AMOUNTS, "hub-low": replace(AMOUNTS, alone={FIRST: 1, SECOND: 1})},
    effort=Effort(batch_sequences=32, checkpoints=(50_000,), shot_sets=1, ablated=4, lens_tokens=2_000),
    pool=Pool(decoys=1, budget=10_000),
    pool_amounts=AMOUNTS,
    model={"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2,
           "num_key_value_heads": 2},
)  # fmt: skip


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    run = tmp_path_factory.mktemp("known-truth")
    todo = jobs(TINY, TINY.seeds, run, run / "results")
    assert [job.do() for job in todo] == [f"{name}-1 is done" for name in (MAIN, "hub-low", SELECTION)]
    return run, todo


@pytest.mark.slow
def test_what_is_done_is_not_done_again(done):
    run, todo = done
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    assert [job.do() for job in todo] == [f"{name}-1 is there" for name in (MAIN, "hub-low", SELECTION)]
    assert before == {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_the_second_implementation_finds_the_same(done):
    run, _ = done
    main = load_kept(run / "results")[MAIN]
    found = check(run / f"{MAIN}-1" / "world", run / f"{MAIN}-1" / "run", "D")
    assert found["score"] == pytest.approx(ask.transfer(main, "D").mean, abs=1e-5)
    precise = ask.precision(main, "authors_threshold", "raw").mean
    assert found["precision"] == pytest.approx(precise, abs=1e-9, nan_ok=True)


@pytest.mark.slow
def test_counting_is_exact_and_planted_pivots_are_mined(done):
    run, _ = done
    main = load_kept(run / "results")[MAIN]
    equal, counted = ask.counts_equal(main)
    assert equal == counted > 0
    assert ask.mined_first(main).mean > 0.9


@pytest.mark.slow
def test_the_selection_takes_more_of_what_binds_than_its_controls(done):
    run, _ = done
    selection = load_kept(run / "results")[SELECTION]
    binding = {name: ask.selected_kinds(selection, name, ask.BINDING).mean for name in ("top", "matched", "random")}
    assert binding["top"] > binding["random"] > 0
    assert binding["top"] > binding["matched"]


@pytest.mark.slow
def test_the_page_is_written_from_the_tables_alone(done):
    run, _ = done
    kept = load_kept(run / "results")
    text = page(kept, "results", kept)
    assert "| first pass (1) |" in text
    assert all(f"\n## {number}. " in text for number in range(1, 8))
    assert "nan" not in text.lower().replace("finance", "")


@pytest.mark.slow
def test_an_interrupted_result_is_made_again(done):
    _, todo = done
    kept = todo[0].kept
    tables = {path.name: path.read_bytes() for path in kept.glob("*.parquet")}
    (kept / "settings.json").unlink()
    assert not todo[0].is_done()
    assert todo[0].do() == f"{MAIN}-1 is done"
    assert {path.name: path.read_bytes() for path in kept.glob("*.parquet")} == tables


def test_the_command_explains_itself():
    shown = subprocess.run(
        [sys.executable, "-m", "examples.known_truth", "--help"], capture_output=True, text=True, check=True
    )
    assert "what is finished is not done again" in " ".join(shown.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["RUN", "--workers", "0"], 2, "--workers 0"),
        (["RUN", "--seeds", "-1"], 2, "--seeds -1"),
        (["FILE"], 6, "FILE"),
    ],
)
def test_bad_arguments_are_told(tmp_path, capsys, arguments, code, words):
    (tmp_path / "FILE").write_text("")
    places = [str(tmp_path / one) if one.isupper() else one for one in arguments]
    assert run_experiment(places) == code
    assert words in capsys.readouterr().err


def test_a_page_of_nothing_or_of_a_damaged_result_is_told(tmp_path, capsys):
    assert write_page([str(tmp_path), str(tmp_path / "page.md")]) == 3
    (tmp_path / "main-1").mkdir()
    (tmp_path / "main-1" / "settings.json").write_text("{")
    assert write_page([str(tmp_path), str(tmp_path / "page.md")]) == 6
    assert "main-1 cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "page.md").exists()
