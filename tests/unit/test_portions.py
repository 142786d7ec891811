"""Work in portions, bad files and how far a pass is: at the level of shards, without a stage."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from pivotlens.artifacts import make_plan, write_bytes
from pivotlens.artifacts.lock import PartsLock
from pivotlens.artifacts.plan import Plan
from pivotlens.artifacts.workspace import Workspace
from pivotlens.cli.main import main
from pivotlens.corpus import CorpusFile, LocalExecutor, PartStore, Shard
from pivotlens.corpus.begun import passes_at_work
from pivotlens.corpus.portions import OpeningExecutor, OpenPass, Portion, make_portion
from pivotlens.count import CountConfig
from pivotlens.errors import ArtifactError, ConfigError, DataError, UnfinishedError


@dataclass(frozen=True)
class Note:
    """Writes the name of a shard, and refuses those whose name begins with a sign."""

    refuse: str = "-"

    def __call__(self, shard: Shard, part: Path) -> None:
        if shard.file.name.startswith(self.refuse):
            raise DataError(f"{shard.file.name}: bad", f"Mend {shard.file.name}.")
        write_bytes(part, shard.file.name.encode())


def shards_named(*names: str) -> list[Shard]:
    return [Shard.whole(CorpusFile(name, name, 1000 * (place + 1), "")) for place, name in enumerate(names)]


TEN = shards_named(*(f"{number}.jsonl" for number in range(10)))


@pytest.fixture
def plan(tmp_path: Path) -> Plan[CountConfig]:
    return make_plan(tmp_path / "run", CountConfig(), version=1, inputs={})


def begun(plan: Plan[CountConfig], *passes: tuple[str, list[Shard]], task: Note | None = None) -> None:
    """Do what a stage of several passes does when it is asked to merge."""
    with Workspace(plan) as workspace:
        executor = OpeningExecutor(plan.work_folder)
        for name, shards in passes:
            executor.run(shards, task or Note(), PartStore(workspace.parts_folder(name)), name)


# -- bad files


@pytest.mark.parametrize("workers", [1, 2])
def test_bad_files_are_listed_and_the_others_are_done(tmp_path: Path, workers: int) -> None:
    shards, store = shards_named("-a", "b", "-c", "d", "-e"), PartStore(tmp_path)
    with pytest.raises(DataError) as caught:
        LocalExecutor(workers).run(shards, Note(), store)
    assert caught.value.message == "3 of 5 shards failed:\n-a: bad\n-c: bad\n-e: bad"
    assert caught.value.hint == "Mend -a."
    assert store.missing(shards) == [shards[0], shards[2], shards[4]]
    assert {shard.file.name: error.message for shard, error in store.untold_failures(shards).items()} == {
        name: f"{name}: bad" for name in ("-a", "-c", "-e")
    }
    LocalExecutor(workers).run(shards, Note("?"), store)
    assert (store.missing(shards), store.untold_failures(shards)) == ([], {})


def test_where_nearly_all_fail_not_all_are_tried(tmp_path: Path) -> None:
    shards = shards_named(*(f"-{number}" for number in range(1000)))
    with pytest.raises(DataError) as caught:
        LocalExecutor().run(shards, Note(), PartStore(tmp_path))
    lines = caught.value.message.splitlines()
    assert (lines[0], lines[-1], len(lines)) == (
        "20 of 1,000 shards failed:", "the other 980 were not tried", 22
    )  # fmt: skip


def test_many_that_fail_among_more_that_do_not_are_all_tried(tmp_path: Path) -> None:
    shards = shards_named(*(f"{'-' if number % 3 == 0 else ''}{number}" for number in range(120)))
    with pytest.raises(DataError) as caught:
        LocalExecutor().run(shards, Note(), PartStore(tmp_path))
    lines = caught.value.message.splitlines()
    assert (lines[0], lines[-1]) == ("40 of 120 shards failed:", "and 20 more")
    assert len(PartStore(tmp_path).missing(shards)) == 40


# -- portions


@pytest.mark.parametrize("text", ["3", "3/", "/8", "9/8", "0/0", "-1/8", "1/8/2", "all", "٣/8x", "1.0/8"])
def test_what_is_no_portion_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is no portion of the work\nGive a number"):
        Portion.parse(text)


@pytest.mark.parametrize("of", [1, 3, 10, 17])
def test_portions_are_a_partition_whether_counted_from_0_or_1(of: int) -> None:
    from_0 = [Portion(number, of).deal(TEN) for number in range(of)]
    from_1 = [Portion(number, of).deal(TEN[::-1]) for number in range(1, of + 1)]
    assert sorted((shard for portion in from_0 for shard in portion), key=TEN.index) == TEN
    assert [*from_1[-1:], *from_1[:-1]] == from_0
    assert max(map(len, from_0)) - min(map(len, from_0)) <= 1


def test_portions_fill_one_pass_after_another_and_say_what_is_missing(plan: Plan[CountConfig]) -> None:
    with pytest.raises(UnfinishedError, match=r"no pass of count is open.*\n.*--shards merge: it opens the first"):
        make_portion(plan, Portion(1, 2), 1)
    passes = (("first", TEN[:3]), ("second", TEN))
    with pytest.raises(UnfinishedError, match=r"'first' lacks 3 of 3 shards: 0\.jsonl, 1\.jsonl, 2\.jsonl\n"):
        begun(plan, *passes)
    with pytest.raises(UnfinishedError, match=r"portion 1/2 of 'first' is made; .* 2 of 3 shards are missing: 0.*2"):
        make_portion(plan, Portion(1, 2), 1)
    with pytest.raises(UnfinishedError, match="'first' lacks 2 of 3"):
        begun(plan, *passes)
    with pytest.raises(UnfinishedError, match=r"all 3 shards of 'first' are made"):
        make_portion(plan, Portion(2, 2), 1)
    with pytest.raises(UnfinishedError, match="'second' lacks 10 of 10"):
        begun(plan, *passes)
    for number in (1, 2):
        with pytest.raises(UnfinishedError):
            make_portion(plan, Portion(number, 2), 1)
    begun(plan, *passes)
    assert [path.read_text() for path in map(PartStore(plan.work_folder / "parts/second").path, TEN)] == [
        shard.file.name for shard in TEN
    ]


def test_what_failed_in_every_portion_ends_the_rounds(
    plan: Plan[CountConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    shards = shards_named("a", "-b", "c", "-d")
    with pytest.raises(UnfinishedError):
        begun(plan, ("only", shards))
    with pytest.raises(UnfinishedError, match="2 of 4 shards are missing: -b, -d"):
        make_portion(plan, Portion(1, 2), 1)
    with pytest.raises(UnfinishedError, match="lacks 2 of 4 shards: -b, -d"):
        begun(plan, ("only", shards))
    with pytest.raises(DataError, match=r"2 of 2 shards failed"):
        make_portion(plan, Portion(2, 2), 1)
    with pytest.raises(DataError, match=r"2 of 4 shards failed:\n-b: bad\n-d: bad"):
        begun(plan, ("only", shards))
    assert main(["show", str(plan.run)]) == 0
    shown = capsys.readouterr().out
    assert "count: unfinished, only: 2 of 4 shards (0 of 0 MB)" in shown
    assert "\n  Failed: -b: bad\n  Failed: -d: bad\n" in shown
    assert main(["show", str(plan.run), "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["stage"], told["at_work"]["done"], told["at_work"]["failed"]) == ("count", 2, ["-b: bad", "-d: bad"])
    with pytest.raises(UnfinishedError, match="lacks 2 of 4 shards"):  # it was told: this is another try
        begun(plan, ("only", shards))


def test_paths_lead_from_the_folder_of_whoever_opened_the_pass(
    tmp_path: Path, plan: Plan[CountConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    near = make_plan(Path("run"), plan.config, version=1, inputs={})
    with pytest.raises(UnfinishedError):
        begun(near, ("only", TEN))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(UnfinishedError, match="all 10 shards"):
        make_portion(plan, Portion(1, 1), 1)
    assert Path.cwd() == tmp_path / "elsewhere"
    opened = OpenPass.find(plan.work_folder)
    assert opened is not None
    OpenPass(TEN, Note(), PartStore(plan.work_folder / "parts/only"), "only", tmp_path / "gone").publish(
        plan.work_folder
    )
    with pytest.raises(ArtifactError, match=r"begun in the folder .*gone, which is not there"):
        make_portion(plan, Portion(1, 1), 1)


# -- locks


def test_portions_exclude_nobody_but_whoever_removes_their_parts(tmp_path: Path) -> None:
    first, second, third = (PartsLock(tmp_path, "count") for _ in range(3))
    with first.making():
        with second.making(), third.alone() as alone:
            assert not alone
        with third.alone() as alone:
            assert not alone
    with third.alone() as alone:
        assert alone
    assert list(tmp_path.iterdir()) == []


def test_parts_of_other_settings_stay_while_portions_are_at_work_on_them(plan: Plan[CountConfig]) -> None:
    with pytest.raises(UnfinishedError):
        begun(plan, ("only", TEN))
    other = make_plan(plan.run, CountConfig(seed=1), version=1, inputs={})
    with PartsLock(plan.run, "count").making():
        with pytest.raises(ArtifactError, match=r"portions of count are at work in .* for other settings"):
            begun(other, ("only", TEN))
        assert plan.work_folder.exists()
    with pytest.raises(UnfinishedError):
        begun(other, ("only", TEN))
    assert not plan.work_folder.exists()


def test_parts_that_have_served_are_removed_when_the_last_portion_has_ended(plan: Plan[CountConfig]) -> None:
    plan.run.mkdir()
    with PartsLock(plan.run, "count").making(), Workspace(plan) as workspace:
        workspace.staging.rename(plan.folder)
    assert plan.work_folder.exists()
    Workspace(plan).clear()
    assert [path.name for path in plan.run.iterdir()] == ["count"]


# -- how far it is


def test_a_pass_is_told_from_its_files_alone(plan: Plan[CountConfig]) -> None:
    shards = shards_named("a", "-b", "c", "d")
    with Workspace(plan) as workspace:
        store = PartStore(workspace.parts_folder("first"))
        LocalExecutor().run(shards[:1], Note(), store, "First")
        os.utime(store.folder / ".pass.json", (time.time() - 100, time.time() - 100))
        store = PartStore(workspace.parts_folder("second"))
        write_bytes(store.path(shards[0]), b"made before")
        with pytest.raises(DataError):
            LocalExecutor().run(shards, Note(), store, "Second")
        began = time.time() - 20
        os.utime(store.folder / ".pass.json", (began, began))
        for shard in shards[2:]:
            os.utime(store.path(shard), (began + 10, began + 10))
        (status,) = passes_at_work(plan.run)
        assert (status.stage, status.description, status.shards, status.done) == ("count", "Second", 4, 3)
        assert (status.bytes, status.bytes_done) == (10_000, 8_000)
        assert status.mb_per_s == pytest.approx(0.0007)
        assert 9 < status.idle_seconds < 30
        assert status.failed == ["-b: bad"]
        workspace.staging.rename(plan.folder)
        (plan.folder / "manifest.json").write_text("{}")
        assert passes_at_work(plan.run) == []
    assert passes_at_work(plan.run) == []
