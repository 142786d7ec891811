"""The run on a terminal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from report_fixture import DIRECTIONS, build_run
from rich.cells import cell_len
from rich.console import Console

from pivotlens.artifacts import StageResult, Trace, read_manifest
from pivotlens.cli.show import show
from pivotlens.cli.verbs import result_object, show_result
from pivotlens.errors import PrerequisiteError
from pivotlens.report import most_telling_items, render_items, render_summary
from pivotlens.report.names import BEHAVIOUR_NAMES, GROUP_NAMES, group_of
from pivotlens.report.sections.shares import splits, written_in
from pivotlens.report.terminal import headline_lines
from pivotlens.text import Direction


def printed(*renderables: object, width: int = 100) -> str:
    console = Console(width=width, record=True, file=None, quiet=False, color_system=None)
    with console.capture() as capture:
        for each in renderables:
            console.print(each)
    return capture.get()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_run(tmp_path_factory.mktemp("run"))


def test_most_telling_items(run: Path) -> None:
    items = most_telling_items(run, 5)
    assert len(items) == 5
    assert len({item.concept_id for item in items}) == 5
    assert all(item.shows_pivot and item.correct for item in items)
    assert items[0].direction != items[1].direction
    assert items[0].peak_prob == max(item.peak_prob or 0 for item in items)
    assert [reading.layer for reading in items[0].layers] == list(range(19))
    for reading in items[0].layers:
        probs = [token.prob for token in reading.tokens]
        assert len(probs) == 3
        assert probs == sorted(probs, reverse=True)


def test_items_print_every_layer_in_line(run: Path) -> None:
    items = most_telling_items(run, 6)
    for item, table in zip(items, render_items(items), strict=True):
        text = printed(table)
        assert item.source_word in text
        assert item.target_word in text
        assert f"▸ {item.peak_layer}" in text
        lines = [line for line in text.splitlines() if line.strip()]
        assert len(lines) == 2 + 19
        # Wide characters take two cells: the lines are equally long in cells, whatever is in them.
        assert len({cell_len(line) for line in lines}) == 1


def test_nothing_printed_moves_the_cursor(run: Path) -> None:
    text = printed(*render_items(most_telling_items(run, 16)))
    assert not set(text) & set("\x1b\x07\x00\u202e\u2028\u2029\r")


def test_summary(run: Path) -> None:
    text = printed(render_summary(run), width=80)
    lines = text.splitlines()
    assert lines[3 + len(DIRECTIONS)].startswith("mean over directions, neither side English:")
    assert "calibrated: direct" in lines[4 + len(DIRECTIONS)]
    one_line = " ".join(text.split())
    assert "] semantic pivots are written in: English" in one_line
    assert "fr-zh, calibrated: semantic pivots are written in: English" in one_line
    assert "conditions of a causal pivot: 5 of 5 hold" in text
    assert "0.310 [0.275, 0.350]" in lines[2]
    assert lines[3].split()[0] == "fr-zh"
    assert lines[3].split()[-1] == "16"


def test_every_group_has_all_its_labels_and_its_own_pivots(run: Path, tmp_path: Path) -> None:
    for folder in (run, build_run(tmp_path, ["trace"], ["en-fr", "fr-en"], 5, 3)):
        groups: dict[str, list[str]] = {}
        for line in headline_lines(Trace.load(folder)):
            if line.startswith("mean over directions, "):
                groups[line.partition(", ")[2].rstrip(":")] = []
            else:
                groups[next(reversed(groups))].append(line)
        strata = [row for row in Trace.load(folder).rows("strata") if row["stratum"] == "all"]
        written = splits(Trace.load(folder).rows("pivot_languages"))
        assert list(groups) == [
            name for key, name in GROUP_NAMES.items() if any(r["direction_group"] == key for r in strata)
        ]
        for name, lines in groups.items():
            key = next(key for key, value in GROUP_NAMES.items() if value == name)
            copy = "copy (English source)" if key == "source_english" else "copy"
            for rule in ("calibrated", "onset"):
                place = next(number for number, line in enumerate(lines) if line.startswith(f"  {rule}: "))
                text = re.sub(r" \[[^]]*\]", "", lines[place].partition(": ")[2])
                shares = {part.rpartition(" ")[0]: float(part.rpartition(" ")[2][:-1]) for part in text.split(", ")}
                assert list(shares)[:5] == ["direct", copy, "semantic pivot", "other", "none"]
                assert sum(shares.values()) == pytest.approx(100, abs=2.5)  # each is rounded
                for row in strata:
                    if (row["direction_group"], row["rule"]) == (key, rule):
                        assert shares.get(BEHAVIOUR_NAMES[row["behaviour"]], 0) == pytest.approx(
                            100 * row["share"], abs=0.51
                        )
                split = written_in(written, key, rule)
                assert bool(split) == bool(shares["semantic pivot"])
                if split:
                    assert lines[place + 1] == f"    semantic pivots are written in: {split}"
            of_one = [
                re.match(r"    ([a-z]+)-([a-z]+), calibrated: semantic pivots are written in", line) for line in lines
            ]
            sides = [found.groups() for found in of_one if found]
            assert all(group_of(Direction(*each)) == key for each in sides)
            assert bool(sides) == (folder == run and key == "neither_english")


def test_summary_of_a_sweep_shows_names_as_they_are(tmp_path: Path) -> None:
    build_run(tmp_path, ["trace"], concepts=4, layers=3, sweep=True)
    text = printed(render_summary(tmp_path), width=120)
    for name in ("step<2>, english prompt", "step[3], english prompt", "gemma-3-270m, native prompt"):
        assert name in text


@pytest.mark.parametrize("stage", ["score", "trace"])
def test_summary_of_one_stage(tmp_path: Path, stage: str) -> None:
    build_run(tmp_path, [stage], directions=["fr-zh"], concepts=3, layers=3)
    text = printed(render_summary(tmp_path))
    assert ("semantic pivot" in text) == (stage == "trace")
    assert ("10-way" in text) == (stage == "score")


def test_missing_stages(tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError):
        most_telling_items(tmp_path, 3)
    with pytest.raises(PrerequisiteError, match="neither"):
        render_summary(tmp_path)


def test_trace_ends_with_its_shares_and_not_with_file_names(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = Trace.load(run)
    show_result(trace)
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    last_file = max(number for number, line in enumerate(lines) if ".parquet" in line)
    assert "mean over directions, neither side English:" in lines[last_file + 1 :]
    assert any(line.startswith("semantic pivots are written in: English") for line in lines[last_file + 1 :])
    shares = result_object(trace, reused=True)["shares"]
    assert {row["stratum"] for row in shares["strata"]} == {"all"}
    written = [row for row in shares["pivot_languages"] if row["direction_group"] == "neither_english"]
    whole = next(
        row["share"]
        for row in shares["strata"]
        if (row["direction_group"], row["rule"], row["behaviour"])
        == ("neither_english", "calibrated", "semantic_pivot")
    )
    assert sum(row["share"] for row in written if row["rule"] == "calibrated") == pytest.approx(whole)


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("bench", "16 test concepts"),
        ("score", "all directions: score 0.310 [0.275, 0.350], probability share 61% [53%, 67%]"),
        ("trace", "mean over directions, neither side English:"),
        ("ablate", "conditions of a causal pivot: 5 of 5 hold"),
        ("count", ""),
    ],
)
def test_show_says_of_each_stage_what_its_verb_says(
    run: Path, capsys: pytest.CaptureFixture[str], stage: str, said: str
) -> None:
    show(run)
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    manifest = read_manifest(run / stage)
    assert manifest is not None
    found = headline_lines(StageResult(run / stage, manifest))
    assert bool(found) == bool(said)
    assert [line for line in found if line.startswith(said)] or not said
    for line in found:
        assert line.strip() in lines
