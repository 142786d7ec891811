"""`pivotlens run` and its companions on a tiny model and a tiny corpus."""

from __future__ import annotations

import json
import shutil
import time
import tomllib
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest
from command_line import STAGES, call, content, differing, left_over

from pivotlens.artifacts import SCHEMAS
from pivotlens.cli.init import shared_settings
from pivotlens.cli.main import main
from pivotlens.pipeline import Pipeline, stage_configs


def _manifest(run: Path, stage: str) -> dict:
    return orjson.loads((run / stage / "manifest.json").read_bytes())


def _json(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0):
    assert main([str(argument) for argument in arguments]) == code
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def copied(uninterrupted: Path, tmp_path: Path) -> Path:
    return shutil.copytree(uninterrupted, tmp_path / "run")


# -- the whole chain

# A lens is trained only where it is asked for.
_TABLES = {name: schema for name, schema in SCHEMAS.items() if name.partition("/")[0] in STAGES}
_MAY_BE_EMPTY = {
    *("bench/links", "bench/other_parts", "count/problems", "count/boilerplate", "ablate/items", "ablate/windows"),
    *("count/boilerplate_sources", "select/boilerplate", "select/losses"),
    *("trace/pivots", "trace/tuned_behaviours", "trace/lenses"),
    # Sums of what may be empty.
    *("ablate/doses", "ablate/removals", "trace/lens_layers", "trace/lens_shares"),
    "trace/mined_recall",
    *("trace/pivot_counts", "trace/pivot_links", "trace/pivot_summary", "mine/grammar"),
}


def test_every_stage_leaves_its_tables_and_nothing_else(uninterrupted):
    assert sorted(path.name for path in uninterrupted.iterdir()) == sorted(STAGES)
    assert left_over(uninterrupted) == []
    for name, schema in _TABLES.items():
        table = pq.read_table(uninterrupted / f"{name}.parquet")
        assert table.schema.equals(schema), name
        assert table.num_rows or name in _MAY_BE_EMPTY, name


def test_verify_finds_nothing(uninterrupted, capsys):
    found = _json(capsys, "verify", uninterrupted, "--json")
    assert found["problems"] == []
    assert found["stages"] == list(STAGES)
    assert found["files"] > 30
    assert main(["verify", str(uninterrupted)]) == 0
    assert capsys.readouterr().out == f"{len(STAGES)} stages, {found['files']} files, 0 problems\n"


def test_second_run_does_nothing_and_says_so(tiny, uninterrupted):
    before = content(uninterrupted, record=True)
    began = time.perf_counter()
    done = call("run", "--config", tiny.config, "--run", uninterrupted)
    assert done.returncode == 0
    assert time.perf_counter() - began < 5
    lines = done.stderr.splitlines()
    assert [line.split()[:2] for line in lines[: len(STAGES)]] == [[stage, "reused:"] for stage in STAGES]
    assert "Nothing to do" in lines[-1]
    assert done.stdout == f"Report: {uninterrupted / 'report' / 'report.html'}\n"
    assert content(uninterrupted, record=True) == before


def test_another_hash_seed_gives_the_same_bytes(tiny, uninterrupted, tmp_path):
    done = call("run", "--config", tiny.config, "--run", tmp_path / "run", "--json", env={"PYTHONHASHSEED": "2"})
    assert done.returncode == 0, done.stderr
    assert [stage["reused"] for stage in json.loads(done.stdout)["stages"]] == [False] * len(STAGES)
    assert differing(uninterrupted, tmp_path / "run") == []


def test_verb_by_verb_gives_the_same_bytes(tiny, uninterrupted, tmp_path, capsys):
    for stage in STAGES:
        assert main([stage, "--run", str(tmp_path), "--config", str(tiny.config)]) == 0
        shown = capsys.readouterr()
        assert shown.out.startswith(f"{stage}: {tmp_path / stage}\n")
        assert shown.err == ""
    assert differing(uninterrupted, tmp_path) == []
    assert left_over(tmp_path) == []


def test_two_workers_give_the_same_bytes(tiny, uninterrupted, run_until):
    run = run_until("count")
    # What works on the model has no workers; it is made anew if what it reads is not the same.
    for stage in ("score", "trace", "ablate"):
        shutil.copytree(uninterrupted / stage, run / stage)
    done = call("run", "--config", tiny.config, "--run", run, "--workers", 2)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert differing(uninterrupted, run) == []
    for stage in ("count", "select"):
        assert orjson.loads((run / stage / "run.json").read_bytes())["settings"]["workers"] == 2


# -- what runs again


def test_dry_run_of_nothing_plans_all_and_writes_nothing(tiny, tmp_path, capsys):
    run = tmp_path / "run"
    assert main(["run", "--config", str(tiny.config), "--run", str(run), "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{stage:<10} runs: no result yet" for stage in STAGES]
    plan = _json(capsys, "run", "--config", tiny.config, "--run", run, "--dry-run", "--json")
    assert [stage["name"] for stage in plan["stages"]] == list(STAGES)
    assert not run.exists()


def test_dry_run_names_the_reasons(tiny, uninterrupted, capsys):
    before = content(uninterrupted, record=True)
    plan = _json(capsys, "run", "--config", tiny.config, "--run", uninterrupted, "--seed", 7, "--dry-run", "--json")
    reasons = {stage["name"]: stage["reason"] for stage in plan["stages"]}
    assert reasons["bench"] == "seed: 0 → 7"
    assert reasons["mine"] == "seed: 0 → 7; input bench changed; input count changed"
    assert "input trace changed" in reasons["report"]
    plan = _json(capsys, "run", "--config", tiny.config, "--run", uninterrupted, "--dry-run", "--json")
    assert [stage["reason"] for stage in plan["stages"]] == [None] * len(STAGES)
    for stage in STAGES:
        planned = _json(capsys, stage, "--run", uninterrupted, "--config", tiny.config, "--dry-run", "--json")
        assert planned == {"stage": stage, "would_run": False, "reason": "the result is there and fits"}
    other = ("score", "--run", uninterrupted, "--config", tiny.config, "--shots", 3, "--dry-run", "--json")
    planned = _json(capsys, *other, "--replace")
    assert planned == {"stage": "score", "would_run": True, "reason": "shots: 2 → 3"}
    reason = "shots: 2 → 3 (only with --replace: the finished result is of other settings)"
    assert _json(capsys, *other) == {"stage": "score", "would_run": True, "reason": reason}
    assert content(uninterrupted, record=True) == before


@pytest.mark.parametrize(
    ("setting", "again"),
    [
        ("[mine] top = 2", {"mine", "trace", "ablate", "attribute", "select", "report"}),
        ("[attribute] min_items = 3", {"attribute", "report"}),
        ("[select] budget_tokens = 1999", {"select", "report"}),
        ("[report] title = 'Other'", {"report"}),
        ("[count] workers = 2", set()),
        ("[score] device = 'cpu'", set()),
    ],
)
def test_a_changed_setting_runs_only_what_follows_from_it(tiny, copied, tmp_path, capsys, setting, again):
    table, assignment = setting.split(" ", 1)
    key = assignment.split()[0]
    lines = tiny.config.read_text(encoding="utf-8").splitlines()
    begin = lines.index(table) if table in lines else len(lines)
    kept = [line for number, line in enumerate(lines) if number <= begin or not line.startswith(f"{key} =")]
    if table not in kept:
        kept.append(table)
    kept.insert(kept.index(table) + 1, assignment)
    config = tmp_path / "changed.toml"
    config.write_text("\n".join(kept), encoding="utf-8")
    before = content(copied, record=True)
    stages = _json(capsys, "run", "--config", config, "--run", copied, "--json")["stages"]
    assert {stage["stage"] for stage in stages if not stage["reused"]} == again
    for name, data in content(copied, record=True).items():
        assert name.split("/")[0] in again or data == before[name], name
    assert main(["verify", str(copied)]) == 0


def test_a_changed_benchmark_makes_verify_name_what_is_out_of_date(tiny, copied, capsys):
    assert main(["bench", "--run", str(copied), "--config", str(tiny.config), "--seed", "5", "--replace"]) == 0
    capsys.readouterr()
    found = _json(capsys, "verify", copied, "--json", code=6)
    assert {(problem["code"], problem["path"]) for problem in found["problems"]} == {
        ("V6", stage) for stage in ("count", "mine", "score", "trace", "ablate", "attribute", "select", "report")
    }


# -- settings and where they come from


def test_precedence_is_defaults_file_environment_flags(tiny, tmp_path, monkeypatch, capsys):
    config = tmp_path / "some.toml"
    config.write_text(f'seed = 1\n[bench]\nwords = "{tiny.words}"\nshot_pool = 6\n', encoding="utf-8")
    run = tmp_path / "run"

    def seed(*flags: object) -> tuple[int, str]:
        assert main(["bench", "--run", str(run), "--config", str(config), "--replace", *map(str, flags)]) == 0
        manifest = _manifest(run, "bench")
        assert manifest["config"]["shot_pool"] == 6
        assert manifest["config"]["distractors"] == 9
        assert "distractors" not in manifest["origins"]
        assert manifest["origins"]["shot_pool"] == f"{config} [bench]"
        return manifest["config"]["seed"], manifest["origins"]["seed"]

    assert seed() == (1, str(config))
    config.write_text(config.read_text() + "seed = 2\n")
    assert seed() == (2, f"{config} [bench]")
    monkeypatch.setenv("PIVOTLENS_SEED", "3")
    assert seed() == (3, "PIVOTLENS_SEED")
    monkeypatch.setenv("PIVOTLENS_BENCH_SEED", "4")
    assert seed() == (4, "PIVOTLENS_BENCH_SEED")
    assert seed("--seed", 5) == (5, "command line")
    monkeypatch.setenv("PIVOTLENS_BENCH_LANGUAGES", "fr,zh")
    seed()
    assert _manifest(run, "bench")["config"]["languages"] == ["fr", "zh"]


def test_the_model_of_the_environment_is_the_tokenizer_too(tiny, run_until, monkeypatch, capsys):
    run = run_until("count")
    monkeypatch.setenv("PIVOTLENS_MODEL", str(tiny.model))
    monkeypatch.setenv("PIVOTLENS_CORPUS", str(tiny.corpus))
    assert main(["count", "--run", str(run), "--unit-characters", "1024"]) == 0
    assert _manifest(run, "count")["origins"]["tokenizer"] == "PIVOTLENS_MODEL"


def test_init_writes_the_defaults(tmp_path, capsys):
    path = tmp_path / "all.toml"
    assert main(["init", str(path)]) == 0
    assert str(path) in capsys.readouterr().out
    text = path.read_text(encoding="utf-8")
    shared = tomllib.loads(text)
    assert {key for key, value in shared.items() if not isinstance(value, dict)} == set(shared_settings("", "", ()))
    # Every default, uncommented, is what the setting has without a file.
    plain = "\n".join(line.removeprefix("# ") if " = " in line or line[:3] == "# [" else line
                      for line in text.splitlines()
                      if not line.endswith("…"))  # fmt: skip
    written = tomllib.loads("\n".join(line for line in plain.splitlines() if not _is_prose(line)))
    for stage, config in stage_configs().items():
        defaults = {name: field.default for name, field in config.model_fields.items() if field.default is not None}
        assert {key: tuple(value) if isinstance(value, list) else value for key, value in written[stage].items()} == (
            defaults
        ), stage
    values = {key: value for key, value in shared.items() if not isinstance(value, dict)}
    assert Pipeline.from_toml(path).configs == Pipeline.from_mapping(values, "x").configs
    assert main(["init", str(path)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == text
    assert main(["init", str(path), "--force", "--model", "other", "--directions", "fr-en"]) == 0
    again = tomllib.loads(path.read_text(encoding="utf-8"))
    assert (again["model"], again["directions"]) == ("other", ["fr-en"])


def _is_prose(line: str) -> bool:
    """Tell whether a line is a comment's words and no setting."""
    try:
        tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return True
    return False


def test_what_init_writes_runs(tiny, tmp_path):
    path = tmp_path / "mine.toml"
    flags = ("--model", tiny.model, "--corpus", tiny.corpus, "--directions", "fr-zh")
    assert call("init", path, *flags).returncode == 0
    limits = {
        "PIVOTLENS_SCORE_LIMIT_CONCEPTS": "3",
        "PIVOTLENS_TRACE_LIMIT_CONCEPTS": "3",
        "PIVOTLENS_SCORE_SHOT_SETS": "1",
    }
    limits |= {"PIVOTLENS_BENCH_WORDS": str(tiny.words), "PIVOTLENS_MINE_MIN_DF": "2"}
    done = call("run", "--config", path, env=limits, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "mine" / "report" / "report.html").is_file()


# -- looking at a run


def test_json_of_every_stage_parses(tiny, uninterrupted, capsys):
    for stage in STAGES:
        found = _json(capsys, stage, "--run", uninterrupted, "--config", tiny.config, "--json")
        assert found["stage"] == stage
        assert found["reused"] is True
        assert found["outputs"]
        assert found["fingerprint"] == _manifest(uninterrupted, stage)["fingerprint"]
    found = _json(capsys, "run", "--config", tiny.config, "--run", uninterrupted, "--json")
    assert [stage["reused"] for stage in found["stages"]] == [True] * len(STAGES)


def test_show_lists_stages_and_rows(uninterrupted, capsys):
    assert main(["show", str(uninterrupted)]) == 0
    text = capsys.readouterr().out
    assert all(f"{stage}: {uninterrupted / stage}" in text for stage in STAGES)
    assert [stage["stage"] for stage in _json(capsys, "show", uninterrupted, "--json")] == list(STAGES)
    assert main(["show", str(uninterrupted), "bench/items", "--rows", "3"]) == 0
    text = capsys.readouterr().out
    assert "bench/items: 3 of 120 rows" in text
    for name in _TABLES:
        rows = _json(capsys, "show", uninterrupted, name, "--rows", 2, "--json")
        assert len(rows) <= 2
        assert main(["show", str(uninterrupted), name]) == 0
        capsys.readouterr()


def test_show_of_a_result_of_another_version(uninterrupted, tmp_path, capsys):
    folder = shutil.copytree(uninterrupted / "score", tmp_path / "score")
    shutil.copytree(uninterrupted / "select", tmp_path / "select")
    table = pq.read_table(folder / "summary.parquet")
    pq.write_table(table.drop_columns(["item_set"]), folder / "summary.parquet")
    assert main(["show", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "has no column 'item_set': another version of pivotlens wrote it" in shown
    assert f"select: {tmp_path / 'select'}" in shown


def test_show_of_what_is_not_there(uninterrupted, tmp_path, capsys):
    assert main(["show", str(uninterrupted), "mine/pair_pivot"]) == 2
    assert "did you mean 'mine/pair_pivots'?" in capsys.readouterr().err
    # Tables of the stage that was named come first: another stage's may be spelled more alike.
    for name in ("ablate/summary", "ablate"):
        assert main(["show", str(uninterrupted), name]) == 2
        assert "tables of ablate: ablate/conditions, ablate/doses, ablate/effects," in " ".join(
            capsys.readouterr().err.split()
        )
    assert main(["show", str(uninterrupted), "attribute/test"]) == 2
    assert "did you mean 'attribute/tests'?" in capsys.readouterr().err
    (tmp_path / "part").mkdir()
    shutil.copytree(uninterrupted / "bench", tmp_path / "part" / "bench")
    assert main(["show", str(tmp_path / "part"), "trace/layers"]) == 2
    assert f"Run `pivotlens trace --run {tmp_path / 'part'}` first." in capsys.readouterr().err.replace("\n", "")
    assert main(["show", str(tmp_path)]) == 6
    assert f"{tmp_path} holds no finished stage" in capsys.readouterr().err


def test_doctor_tells_what_is_there(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PIVOTLENS_CACHE", str(tmp_path / "cache"))
    findings = {finding["name"]: finding for finding in _json(capsys, "doctor", "--json")}
    assert findings["torch"]["ok"] is True
    assert str(tmp_path / "cache") in findings["cache"]["text"]
    assert "not fetched yet" in findings["demo:gemma-3-270m"]["text"]
    assert main(["doctor"]) == 0
    assert "demo:smollm2-135m" in capsys.readouterr().out
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("PIVOTLENS_CACHE", str(blocked / "cache"))
    assert main(["doctor"]) == 3
    shown = capsys.readouterr()
    assert "set PIVOTLENS_CACHE" in shown.out
    assert "cache" in shown.err


def test_limit_is_recorded_and_shown_in_the_report(tiny, copied, capsys):
    for stage in ("score", "trace"):
        flags = ["--run", str(copied), "--config", str(tiny.config), "--limit-concepts", "5"]
        assert main([stage, *flags, "--replace"]) == 0
        assert "limit_concepts = 5" in " ".join(_manifest(copied, stage)["warnings"])
    assert main(["report", "--run", str(copied), "--config", str(tiny.config)]) == 0
    page = (copied / "report" / "report.html").read_text(encoding="utf-8")
    assert "limit_concepts = 5: only 5 concepts were scored, those of the calibration set first" in page
    assert "limit_concepts = 5: only 5 concepts were traced, those of the calibration set first" in page
    assert pq.read_table(copied / "score" / "concepts.parquet").num_rows == 10


def test_a_finished_result_of_other_settings_is_replaced_only_where_asked(tiny, copied, capsys):
    before = content(copied / "score")
    flags = ["score", "--run", str(copied), "--config", str(tiny.config), "--limit-concepts", "5"]
    assert main(flags) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"{copied / 'score'} holds a finished result of other settings (limit_concepts: None → 5)" in said
    assert "--replace" in said
    assert content(copied / "score") == before
    assert main([*flags, "--dry-run"]) == 0
    assert "only with --replace" in capsys.readouterr().out
    # The same settings, a result that is out of date, and a report need no leave.
    assert main(["score", "--run", str(copied), "--config", str(tiny.config)]) == 0
    assert main(["bench", "--run", str(copied), "--config", str(tiny.config), "--seed", "5", "--replace"]) == 0
    assert main(["score", "--run", str(copied), "--config", str(tiny.config)]) == 0
    assert main(["report", "--run", str(copied), "--title", "Another"]) == 0
    capsys.readouterr()
    assert main([*flags, "--replace"]) == 0
    assert _manifest(copied, "score")["config"]["limit_concepts"] == 5
    # A chain replaces what its file says otherwise.
    assert main(["run", "--config", str(tiny.config), "--run", str(copied)]) == 0
    assert _manifest(copied, "score")["config"]["limit_concepts"] is None


def test_closed_output_is_no_error(uninterrupted):
    import subprocess

    from command_line import PROGRAM, environment

    shell = f"'{PROGRAM}' show '{uninterrupted}' trace/tokens --rows 5000 --json | head -n 2; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0
    assert done.stderr == ""
