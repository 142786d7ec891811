"""A stage's folder: when it runs, what survives, what is refused, and that equal runs give equal bytes."""

import errno
import fcntl
import hashlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pivotlens.artifacts import (
    Benchmark,
    Plan,
    Scores,
    atomic_path,
    columns,
    files_fingerprint,
    fingerprint,
    make_plan,
    read_manifest,
    schema_of,
    sha256_of_file,
    upstream_inputs,
    write_bytes,
    writer,
)
from pivotlens.artifacts.lock import StageLock
from pivotlens.artifacts.manifest import Output
from pivotlens.artifacts.verification import verify_run
from pivotlens.bench.stage import STAGE
from pivotlens.errors import ArtifactError, ConfigError, PrerequisiteError
from pivotlens.settings import StageConfig, setting
from stage_by_hand import at_work


class ToyConfig(StageConfig):
    """Writes the table of distractors."""

    stage: ClassVar[str] = "bench"
    size: int = setting(3, "Rows.", ge=1)
    workers: int = setting(1, "Processes.", meaning=False)


def stage_of(run: Path, *, version: int = 1, inputs: dict[str, str] | None = None, **settings: int) -> Plan[ToyConfig]:
    return make_plan(run, ToyConfig(**settings), version=version, inputs={"corpus": "aa"} if inputs is None else inputs)


def rows(n: int) -> dict[str, list[object]]:
    return {
        "concept_id": [f"c{i}" for i in range(n)],
        "distractor_id": [f"d{i}" for i in range(n)],
        "tier": list(range(n)),
    }


def make(run: Path, **arguments) -> Plan[ToyConfig]:
    plan = stage_of(run, **arguments)
    with at_work(plan) as stage:
        stage.writer.write_table("distractors", rows(stage.config.size))
        write_bytes(stage.writer.staged("arm/documents.txt", rows=1), b"text\n")
        stage.writer.warn("few rows")
        stage.writer.warn("few rows")
        stage.writer.finish({"rows": stage.config.size})
    return plan


# -- when it must run


def test_a_finished_stage_is_reused(tmp_path):
    assert stage_of(tmp_path).reason == "no result yet"
    make(tmp_path)
    assert stage_of(tmp_path).reason is None
    assert stage_of(tmp_path, workers=8).reason is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"size": 5}, "size: 3 → 5"),
        ({"version": 2}, "algorithm version 1 → 2"),
        ({"inputs": {"corpus": "bb"}}, "input corpus changed"),
        ({"inputs": {"corpus": "aa", "model": "cc"}}, "input model changed"),
        ({"inputs": {}}, "input corpus is gone"),
        ({"size": 4, "inputs": {"corpus": "bb"}}, "size: 3 → 4; input corpus changed"),
    ],
)
def test_each_change_is_named(tmp_path, change, reason):
    make(tmp_path)
    assert stage_of(tmp_path, **change).reason == reason


def test_a_setting_that_is_none_any_more_is_named(tmp_path):
    path = make(tmp_path).folder / "manifest.json"
    content = orjson.loads(path.read_bytes())
    path.write_bytes(orjson.dumps(content | {"config": content["config"] | {"limit": None}, "fingerprint": "f"}))
    assert stage_of(tmp_path).reason == "limit is no setting any more"


@pytest.mark.parametrize("damage", ["missing", "longer"])
@pytest.mark.parametrize("name", ["distractors.parquet", "arm/documents.txt"])
def test_a_changed_output_is_found(tmp_path, damage, name):
    path = make(tmp_path).folder / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes() + b"x")
    assert stage_of(tmp_path).reason == f"bench/{name} is missing or was changed"


def test_parts_of_an_interrupted_run_are_told(tmp_path):
    with pytest.raises(KeyboardInterrupt), at_work(stage_of(tmp_path)) as stage:  # noqa: PT012
        stage.workspace.write_part("one", pa.table({"x": [1]}))
        raise KeyboardInterrupt
    assert "interrupted" in str(stage_of(tmp_path).reason)
    assert stage_of(tmp_path, size=4).reason == "no result yet"


# -- results


def test_the_manifest_says_what_there_is(tmp_path):
    stage = make(tmp_path, size=4)
    manifest = read_manifest(stage.folder)
    assert manifest is not None
    assert manifest.stage == "bench"
    assert manifest.fingerprint == stage.fingerprint
    assert manifest.warnings == ["few rows"]
    assert manifest.details == {"rows": 4}
    assert set(manifest.outputs) == {"distractors.parquet", "arm/documents.txt"}
    for name, output in manifest.outputs.items():
        path = stage.folder / name
        assert (output.bytes, output.sha256) == (path.stat().st_size, sha256_of_file(path))
    assert manifest.outputs["distractors.parquet"].rows == 4
    assert manifest.outputs["arm/documents.txt"].rows == 1
    assert not (tmp_path / ".work").exists()
    assert not (tmp_path / ".bench.lock").exists()
    assert {path.name for path in stage.folder.rglob("*")} == {
        "distractors.parquet", "arm", "documents.txt", "manifest.json", "run.json",
    }  # fmt: skip


def test_two_runs_give_equal_bytes(tmp_path):
    one, other = make(tmp_path / "one"), make(tmp_path / "other", workers=4)
    for name in ("distractors.parquet", "arm/documents.txt"):
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes()
    same = make(tmp_path / "same")
    assert (one.folder / "manifest.json").read_bytes() == (same.folder / "manifest.json").read_bytes()


def test_a_new_result_takes_the_whole_place_of_the_old(tmp_path):
    stage = make(tmp_path)
    (stage.folder / "left over.txt").write_text("x", encoding="utf-8")
    make(tmp_path, size=7)
    assert not (stage.folder / "left over.txt").exists()
    assert Benchmark.load(tmp_path).table("distractors").num_rows == 7


def test_a_failed_run_leaves_the_old_result(tmp_path):
    make(tmp_path)
    before = {path: path.read_bytes() for path in (tmp_path / "bench").rglob("*") if path.is_file()}
    with pytest.raises(RuntimeError), at_work(stage_of(tmp_path, size=9)) as stage:  # noqa: PT012
        stage.writer.write_table("distractors", rows(9))
        raise RuntimeError
    assert {path: path.read_bytes() for path in (tmp_path / "bench").rglob("*") if path.is_file()} == before
    assert stage_of(tmp_path).reason is None


def test_what_an_interrupted_run_staged_is_not_in_the_next_result(tmp_path):
    with pytest.raises(KeyboardInterrupt), at_work(stage_of(tmp_path)) as stage:  # noqa: PT012
        write_bytes(stage.writer.staged("half.txt"), b"half")
        raise KeyboardInterrupt
    stage = make(tmp_path)
    assert not (stage.folder / "half.txt").exists()


def test_tables_are_cast_to_their_schema(tmp_path):
    with at_work(stage_of(tmp_path)) as stage:
        table = pa.table({"tier": pa.array([1], pa.int8()), "concept_id": ["a"], "distractor_id": ["b"]})
        stage.writer.write_table("distractors", table)
        stage.writer.finish()
    result = Benchmark.load(tmp_path)
    assert result.table("distractors").column_names == ["concept_id", "distractor_id", "tier"]
    assert result.table("distractors").schema.field("tier").type == pa.int64()
    assert result.rows("distractors") == [{"concept_id": "a", "distractor_id": "b", "tier": 1}]


@pytest.mark.parametrize("cuts", [[], [7], [2, 2, 3], [1, 4, 4, 6], [0, 0]])
def test_a_table_in_blocks_has_the_same_bytes_as_a_whole_one(tmp_path, monkeypatch, cuts):
    monkeypatch.setattr(columns, "ROW_GROUP", 3)
    whole = pa.table(rows(7))
    edges = [0, *cuts, 7]
    blocks = [whole.slice(low, high - low) for low, high in pairwise(edges)]
    with at_work(stage_of(tmp_path / "whole")) as stage:
        stage.writer.write_table("distractors", whole)
        expected = stage.writer.finish()
    with at_work(stage_of(tmp_path / "blocks")) as stage:
        stage.writer.write_table_blocks("distractors", iter(blocks))
        assert stage.writer.finish() == expected
    assert expected.outputs["distractors.parquet"].rows == 7
    assert pq.read_metadata(tmp_path / "blocks/bench/distractors.parquet").num_row_groups == 3


@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_a_table_of_no_blocks_has_its_columns(tmp_path, blocks):
    plan, empty = stage_of(tmp_path / "blocks"), schema_of("bench", "distractors").empty_table()
    with at_work(plan) as stage:
        stage.writer.write_table_blocks("distractors", [empty] * blocks)
        found = stage.writer.finish()
    assert found.outputs["distractors.parquet"].rows == 0
    assert pq.read_schema(plan.folder / "distractors.parquet") == schema_of("bench", "distractors")
    with at_work(stage_of(tmp_path / "whole")) as stage:
        stage.writer.write_table("distractors", empty)
        assert stage.writer.finish() == found


def test_a_table_in_blocks_takes_the_memory_of_a_few(tmp_path):
    size, held = 200_000, []
    before = pa.total_allocated_bytes()
    block_bytes = pa.table(rows(size), schema=schema_of("bench", "distractors")).nbytes

    def blocks():
        for _ in range(12):
            yield pa.table(rows(size), schema=schema_of("bench", "distractors"))
            held.append(pa.total_allocated_bytes() - before)

    with at_work(stage_of(tmp_path)) as stage:
        stage.writer.write_table_blocks("distractors", blocks())
        stage.writer.finish()
    # The block at hand, its copy without chunks and what was left of the one before; and the writer's row group.
    assert max(held) < 4 * block_bytes


def test_a_table_in_blocks_is_held_to_its_contract(tmp_path):
    with at_work(stage_of(tmp_path)) as stage:
        with pytest.raises(ValueError, match="column 'colour' of table bench/distractors is not declared"):
            stage.writer.write_table_blocks("distractors", [pa.table({**rows(1), "colour": ["red"]})])
        with pytest.raises(ValueError, match="table bench/colours is not declared"):
            stage.writer.write_table_blocks("colours", [pa.table({"colour": ["red"]})])


@pytest.mark.parametrize("links", [True, False])
def test_a_file_of_a_worker_is_taken_in_without_being_read_again(tmp_path, monkeypatch, links):
    def no_links(path, target):
        raise PermissionError(errno.EPERM, "no hard links here")

    if not links:
        monkeypatch.setattr(Path, "hardlink_to", no_links)
    plan, content = stage_of(tmp_path), b"written by a worker"
    found = Output(bytes=len(content), sha256=hashlib.sha256(content).hexdigest(), rows=3)
    with at_work(plan) as stage:
        part = stage.workspace.parts_folder("documents") / "a"
        part.write_bytes(content)
        stage.writer.adopt("arm/documents-00000", part, found)
        assert part.exists()
        monkeypatch.setattr(writer, "sha256_of_file", lambda path: pytest.fail(f"{path} is read"))
        assert stage.writer.finish().outputs == {"arm/documents-00000": found}
    assert (plan.folder / "arm/documents-00000").read_bytes() == content
    assert stage_of(tmp_path).reason is None


def test_pandas_is_optional(tmp_path, monkeypatch):
    make(tmp_path)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(PrerequisiteError, match="pip install pandas"):
        Benchmark.load(tmp_path).to_pandas("distractors")


# -- parts


def test_parts_survive_a_kill(tmp_path):
    program = (
        "import os, signal, sys; sys.path[:0] = sys.argv[2:];"
        "from test_artifacts import stage_of; import pyarrow as pa; from pathlib import Path;"
        "from pivotlens.artifacts import Workspace;"
        "stage = Workspace(stage_of(Path(sys.argv[1]))); stage.__enter__();"
        "stage.write_part('one', pa.table({'x': [1, 2]}));"
        "(stage.parts_folder('files') / 'two.txt').write_bytes(b'two');"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    folders = [str(tmp_path), *map(str, Path(__file__).parents[:2])]
    outcome = subprocess.run([sys.executable, "-c", program, *folders], check=False)
    assert outcome.returncode == -9
    with at_work(stage_of(tmp_path)) as stage:
        assert stage.workspace.has_part("one")
        assert not stage.workspace.has_part("two")
        assert stage.workspace.read_part("one").to_pydict() == {"x": [1, 2]}
        assert (stage.workspace.parts_folder("files") / "two.txt").read_bytes() == b"two"


def test_parts_of_other_settings_are_not_taken(tmp_path):
    with pytest.raises(KeyboardInterrupt), at_work(stage_of(tmp_path)) as stage:  # noqa: PT012
        stage.workspace.write_part("one", pa.table({"x": [1]}))
        raise KeyboardInterrupt
    with at_work(stage_of(tmp_path, size=4)) as stage:
        assert not stage.workspace.has_part("one")
    assert len(list((tmp_path / ".work").iterdir())) == 1


# -- the lock


def _hold(run: Path, held, release) -> None:
    with at_work(stage_of(run)):
        held.set()
        release.wait(30)


def test_another_process_is_kept_out(tmp_path):
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(tmp_path, held, release))
    process.start()
    try:
        assert held.wait(30)
        with pytest.raises(ArtifactError, match="another process is running bench"), at_work(stage_of(tmp_path)):
            pass
    finally:
        release.set()
        process.join(30)
    make(tmp_path)
    assert stage_of(tmp_path).reason is None


def test_a_lock_file_left_by_a_kill_does_not_lock(tmp_path):
    (tmp_path / ".bench.lock").touch()
    make(tmp_path)


def test_what_a_kill_left_behind_a_finished_result_goes_with_its_reuse(tmp_path):
    config = STAGE.config(words="everyday-nouns")
    STAGE(config, tmp_path)
    plan = STAGE.plan(config, tmp_path)
    (plan.work_folder / "parts").mkdir(parents=True)
    (tmp_path / ".bench.lock").touch()
    held = StageLock(tmp_path, "bench")
    held.take()  # somebody is at work
    STAGE(config, tmp_path)
    assert plan.work_folder.exists()
    held.release()
    STAGE(config, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bench"]


def test_a_lock_whose_file_was_removed_meanwhile_is_not_taken(tmp_path, monkeypatch):
    """Who waits at a lock file that its owner removes must not believe to hold the lock of a new one."""
    flock, seen = fcntl.flock, []

    def removed_first(handle, operation):
        if not seen:
            (tmp_path / ".bench.lock").unlink()  # the owner ends between our open and our lock
        seen.append(handle)
        return flock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", removed_first)
    with at_work(stage_of(tmp_path)) as stage:
        assert (tmp_path / ".bench.lock").exists()
        with pytest.raises(ArtifactError, match="another process"), at_work(stage_of(tmp_path)):
            pass
        stage.writer.write_table("distractors", rows(1))
        stage.writer.finish()
    assert len(seen) >= 2


def test_a_stage_that_could_not_begin_holds_no_lock(tmp_path):
    (tmp_path / ".work").write_text("in the way", encoding="utf-8")
    with pytest.raises(ArtifactError, match="cannot write"), at_work(stage_of(tmp_path)):
        pass
    (tmp_path / ".work").unlink()
    make(tmp_path)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_refused(tmp_path, monkeypatch, number):
    def refused(handle, operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refused)
    with pytest.raises(ArtifactError, match=r"keeps no locks .*\n.*another file system"), at_work(stage_of(tmp_path)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_two_in_one_process_keep_each_other_out(tmp_path):
    with (
        at_work(stage_of(tmp_path)),
        pytest.raises(ArtifactError, match="another process"),
        at_work(stage_of(tmp_path)),
    ):
        pass


# -- what is missing or damaged


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b'{"format_version": 2}'])
def test_a_damaged_manifest_is_refused(tmp_path, content):
    stage = make(tmp_path)
    (stage.folder / "manifest.json").write_bytes(content)
    with pytest.raises(ArtifactError, match="is damaged") as caught:
        stage_of(tmp_path)
    assert str(stage.folder) in caught.value.hint
    with pytest.raises(ArtifactError):
        Benchmark.load(tmp_path)


def test_a_manifest_that_tells_no_origins_is_read(tmp_path):
    # Older versions wrote them under another name: their results go out of date like any other, and are not damaged.
    stage = make(tmp_path)
    path = stage.folder / "manifest.json"
    content = orjson.loads(path.read_bytes())
    del content["origins"]
    path.write_bytes(orjson.dumps(content | {"passed": {}}))
    assert stage_of(tmp_path).reason is None
    assert stage_of(tmp_path, version=2).reason == "algorithm version 1 → 2"


def test_a_manifest_of_a_newer_format_is_refused(tmp_path):
    stage = make(tmp_path)
    content = orjson.loads((stage.folder / "manifest.json").read_bytes())
    (stage.folder / "manifest.json").write_bytes(orjson.dumps(content | {"format_version": 2}))
    with pytest.raises(ArtifactError):
        Benchmark.load(tmp_path)


def test_a_missing_stage_is_asked_for(tmp_path):
    with pytest.raises(PrerequisiteError, match="has no finished 'score' stage") as caught:
        Scores.load(tmp_path)
    assert "pivotlens score" in caught.value.hint
    assert Scores.load_if_there(tmp_path) is None
    with pytest.raises(PrerequisiteError, match="trace needs the result of 'bench'"):
        upstream_inputs(tmp_path, ["bench"], reader="trace")


def test_upstream_fingerprints(tmp_path):
    stage = make(tmp_path)
    assert upstream_inputs(tmp_path, ["bench"], ["mine"]) == {"bench": stage.fingerprint}
    planned = {"bench": "x", "mine": "y", "select": "z"}
    assert upstream_inputs(tmp_path, ["bench"], ["mine"], planned) == {"bench": "x", "mine": "y"}
    assert upstream_inputs(tmp_path, ["bench"], planned={"mine": "y"}) == {"bench": stage.fingerprint}
    grouped = [("mine", "count"), "select"]
    assert upstream_inputs(tmp_path, [], grouped, {"count": "c", "select": "s"}) == {"select": "s"}
    assert upstream_inputs(tmp_path, [], grouped, {"mine": "m", "count": "c"}) == {"mine": "m", "count": "c"}
    with pytest.raises(PrerequisiteError):
        upstream_inputs(tmp_path / "empty", ["bench"], planned={})


@pytest.mark.parametrize("name", ["../secret.parquet", "top/../../secret", "/etc/passwd", ""])
def test_a_manifest_names_files_of_its_folder_alone(tmp_path, name):
    make(tmp_path)
    path = tmp_path / "bench" / "manifest.json"
    content = orjson.loads(path.read_bytes())
    content["outputs"][name] = {"bytes": 1, "sha256": "0"}
    path.write_bytes(orjson.dumps(content))
    with pytest.raises(ArtifactError, match="is no file of the folder"):
        Benchmark.load(tmp_path)


def test_damaged_and_unknown_tables(tmp_path):
    folder = make(tmp_path).folder
    result = Benchmark.load(tmp_path)
    with pytest.raises(ArtifactError, match="has no table 'distractor'\ndid you mean 'distractors'"):
        result.table("distractor")
    (folder / "distractors.parquet").write_bytes(b"PAR1 no table PAR1")
    with pytest.raises(ArtifactError, match="missing or damaged"):
        result.table("distractors")
    (folder / "distractors.parquet").unlink()
    with pytest.raises(ArtifactError, match="missing or damaged"):
        result.table("distractors")


def test_a_table_that_this_result_lacks(tmp_path):
    make(tmp_path)
    bench = Benchmark.load(tmp_path)
    said = r"bench has no table 'items': it was made without.*\nThere are: distractors"
    with pytest.raises(ArtifactError, match=said):
        bench.table("items")
    with pytest.raises(ArtifactError, match="has no table 'item'\ndid you mean 'items'"):
        bench.explain("item")


def test_a_damaged_part_is_told(tmp_path):
    with at_work(stage_of(tmp_path)) as stage:
        (stage.workspace.parts_folder("x").parent / "one.parquet").write_bytes(b"no table")
        with pytest.raises(ArtifactError, match="damaged"):
            stage.workspace.read_part("one")


def test_results_can_be_copied_once(tmp_path):
    make(tmp_path / "a")
    copy = Benchmark.load(tmp_path / "a").save(tmp_path / "b")
    assert copy.rows("distractors") == Benchmark.load(tmp_path / "a").rows("distractors")
    assert Benchmark.load(tmp_path / "b") == copy
    with pytest.raises(ArtifactError, match="exists already"):
        copy.save(tmp_path / "b")


def test_a_run_folder_that_is_a_file(tmp_path):
    path = tmp_path / "run"
    path.write_text("x", encoding="utf-8")
    with pytest.raises(ArtifactError), at_work(stage_of(path)):
        pass
    with pytest.raises(ArtifactError):
        Benchmark.load(path)


# -- a full disk


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.getuid() != 0 or sys.platform != "linux":
        pytest.skip("mounting needs root on Linux")
    outcome = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if outcome.returncode != 0:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_full_disk_leaves_nothing_half_written(small_disk):
    make(small_disk)
    before = files_of(small_disk)
    wide = {name: [os.urandom(40).hex() for _ in range(3000)] for name in ("concept_id", "distractor_id")}
    plan = stage_of(small_disk, size=3000)
    with pytest.raises(ArtifactError, match="no space left"), at_work(plan) as stage:  # noqa: PT012
        stage.workspace.write_part("small", pa.table({"x": [1]}))
        with pytest.raises(ArtifactError, match="no space left") as caught:
            stage.workspace.write_part("large", pa.table(wide))
        assert "parts are kept" in caught.value.hint
        assert not stage.workspace.has_part("large")
        assert stage.workspace.has_part("small")
        stage.writer.write_table("distractors", wide | {"tier": list(range(3000))})
    assert files_of(small_disk) - before == {
        f".work/bench-{plan.fingerprint[:16]}/parts/small.parquet",
    }
    assert stage_of(small_disk).reason is None
    assert make(small_disk, size=3000, inputs={"corpus": "cc"}).folder.is_dir()


def test_atomic_writing(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "file.txt"
    write_bytes(path, b"one")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:  # noqa: PT012
        temporary.write_bytes(b"two")
        raise RuntimeError
    assert path.read_bytes() == b"one"
    assert files_of(tmp_path) == {"deep/file.txt"}

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ArtifactError, match="no space left while writing"):
        write_bytes(path, b"two")
    assert path.read_bytes() == b"one"
    assert files_of(tmp_path) == {"deep/file.txt"}


# -- fingerprints


def test_fingerprints():
    one = fingerprint("bench", 1, {"a": 1, "b": 2}, {"x": "1"})
    assert one == fingerprint("bench", 1, {"b": 2, "a": 1}, {"x": "1"})
    others = {
        fingerprint("score", 1, {"a": 1, "b": 2}, {"x": "1"}),
        fingerprint("bench", 2, {"a": 1, "b": 2}, {"x": "1"}),
        fingerprint("bench", 1, {"a": 1, "b": 3}, {"x": "1"}),
        fingerprint("bench", 1, {"a": 1, "b": 2}, {"x": "2"}),
        fingerprint("bench", 1, {"a": 1, "b": 2}, {"y": "1"}),
    }
    assert len(others | {one}) == 6
    assert all(len(value) == 64 for value in others)
    files = {"a/1.parquet": (10, "m"), "a/2.parquet": (20, "n")}
    assert files_fingerprint(files) == files_fingerprint(dict(reversed(files.items())))
    assert files_fingerprint(files) != files_fingerprint(files | {"a/2.parquet": (21, "n")})


def test_settings_name_the_value_and_its_layer():
    config = ToyConfig.build({"run.toml": {"size": 4, "workers": 2}, "command line": {"size": 5}})
    assert (config.size, config.workers) == (5, 2)
    assert config.meaning() == {"size": 5}
    with pytest.raises(ConfigError, match=r"unknown setting 'sise' in \[bench\] \(run.toml\)\ndid you mean 'size'"):
        ToyConfig.build({"run.toml": {"sise": 4}})
    with pytest.raises(ConfigError, match=r"\[bench\] size = 0 \(run.toml\)"):
        ToyConfig.build({"run.toml": {"size": 0}})


def test_a_folder_that_is_no_result_is_not_replaced(tmp_path):
    """`--run .` in a project that has a folder `bench` of its own."""
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "thesis.txt").write_text("mine")
    with pytest.raises(ArtifactError, match=r"bench is no result of pivotlens.*\n.*another --run folder"):
        make(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["bench", "thesis.txt"]
    (tmp_path / "bench" / "thesis.txt").unlink()
    make(tmp_path)  # an empty folder holds nothing that could be lost


def test_a_result_kept_behind_a_link_is_replaced_and_not_removed(tmp_path):
    run = tmp_path / "run"
    make(tmp_path / "elsewhere")
    run.mkdir()
    (run / "bench").symlink_to(tmp_path / "elsewhere" / "bench")
    for size in (4, 5):
        make(run, size=size)
        assert Benchmark.load(run).table("distractors").num_rows == size
    assert Benchmark.load(tmp_path / "elsewhere").table("distractors").num_rows == 3
    assert [path.name for path in run.iterdir()] == ["bench"]


def test_parts_on_another_file_system_leave_the_old_result(tmp_path):
    make(tmp_path)
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    with tempfile.TemporaryDirectory(dir=other) as folder:
        (tmp_path / ".work").symlink_to(folder)
        with pytest.raises(ArtifactError, match=r"\.work is on another file system"):
            make(tmp_path, size=4)
    assert Benchmark.load(tmp_path).table("distractors").num_rows == 3


def test_a_table_without_a_column(tmp_path):
    """As an older version wrote it."""
    make(tmp_path)
    path = tmp_path / "bench" / "distractors.parquet"
    pq.write_table(pq.read_table(path).drop_columns("tier"), path)
    with pytest.raises(ArtifactError, match=r"has no column 'tier'.*\nRemove .*bench and run `pivotlens bench"):
        Benchmark.load(tmp_path).table("distractors")


@pytest.mark.parametrize(("old", "new"), [(b'"size": 3', b'"size": 4'), (b'"corpus": "aa"', b'"corpus": "ab"')])
def test_a_manifest_that_was_edited(tmp_path, old, new):
    make(tmp_path)
    path = tmp_path / "bench" / "manifest.json"
    assert verify_run(tmp_path, ["bench"]).problems == []
    path.write_bytes(path.read_bytes().replace(old, new))
    assert [problem.code for problem in verify_run(tmp_path, ["bench"]).problems] == ["V1"]
