"""The ablate stage on a tiny model whose trace is given labels, as a random model has no pivots of its own."""

import pyarrow.parquet as pq
import pytest
import transformers as hf

from pivotlens.ablate.config import AblateConfig
from pivotlens.ablate.stage import ablate_pivots
from pivotlens.artifacts import Ablation, Trace, Workspace
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark
from pivotlens.errors import ConfigError, PrerequisiteError
from pivotlens.trace.config import TraceConfig
from pivotlens.trace.stage import trace_model
from tiny_inputs import write_model, write_word_list
from tiny_models import random_model

_SETTINGS = {"bootstrap": 100, "device": "cpu", "max_items": 3, "random_vectors": 2, "half_widths": (0, 1),
             "last_layers": 1}  # fmt: skip
_TABLES = ("items", "windows", "effects", "conditions", "side_effects", "doses", "removals")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A word list and a random model of five blocks."""
    folder = tmp_path_factory.mktemp("ablate")
    words = write_word_list(folder / "words.tsv")
    model = write_model(folder / "model")
    config = hf.LlamaConfig(
        vocab_size=1024, hidden_size=32, intermediate_size=48, num_hidden_layers=5, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=512, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    random_model(config).save_pretrained(model)
    for run in ("run", "none"):
        build_benchmark(BenchConfig(words=str(words), distractors=4, shot_pool=8, calibration=20), folder / run)
        trace_model(
            TraceConfig(model=str(model), directions=("fr-zh", "zh-fr"), shots=2, bootstrap=100, prompt="native",
                        device="cpu"),
            folder / run,
        )  # fmt: skip
        _label(folder / run, pivots=run == "run")
    return folder


def _label(run, *, pivots):
    """Label every other item a pivot, with an English token that the lens shows, and the rest direct."""
    path = run / "trace" / "behaviours.parquet"
    tokenizer = hf.AutoTokenizer.from_pretrained(run.parent / "model")
    english = {row["concept_id"]: row["word"] for row in pq.read_table(run / "bench" / "items.parquet").to_pylist()
               if row["language"] == "en"}  # fmt: skip
    table = pq.read_table(path)
    rows = table.to_pylist()
    for place, row in enumerate(rows):
        if row["rule"] == "calibrated":
            token = tokenizer(f" {english[row['concept_id']]}")["input_ids"][0]
            row |= {"behaviour": "semantic_pivot", "layer": 3, "token_id": token, "token": tokenizer.decode(token)}
            if place % 2 or not pivots:
                row["behaviour"] = "direct"
    pq.write_table(type(table).from_pylist(rows, schema=table.schema), path)


@pytest.fixture(scope="module")
def ablation(base):
    return ablate_pivots(AblateConfig(**_SETTINGS), base / "run")


def test_every_item_is_measured_under_every_condition(ablation):
    rows = ablation.rows("items")
    assert {row["prompt"] for row in rows} == {"native"}
    assert {row["half"] for row in rows} == {"test"}
    assert {(row["source_language"], row["target_language"]) for row in rows} == {("fr", "zh"), ("zh", "fr")}
    details = ablation.manifest.details
    window = details["window"]
    assert details["pivot_items_tested"] > 0
    assert set(window) <= {1, 2, 3, 4}
    conditions = {row["condition"] for row in rows if row["behaviour"] == "semantic_pivot"}
    assert {"own", "random", "target", "matched", "early", "last_layer", "unrelated_text"} <= conditions
    for row in rows:
        assert row["change"] == pytest.approx(row["logprob"] - row["clean_logprob"])
    by_item = {}
    for row in rows:
        by_item.setdefault((row["source_language"], row["concept_id"], row["behaviour"]), []).append(row)
    for found in by_item.values():
        own = next(row for row in found if row["condition"] == "own" and row["dose"] == 1)
        assert [row["dose"] for row in found if row["condition"] == "own"] == [0.5, 1.0, 2.0]
        assert (own["first_layer"], own["last_layer"]) == (window[0], window[-1])
        for row in found:
            if row["condition"] in ("random", "matched", "other", "synonym", "target"):
                assert row["norm"] == pytest.approx(own["norm"], rel=1e-3)
            if row["condition"] not in ("swap", "swap_unrelated", "unrelated_text"):
                assert row["clean_logprob"] == pytest.approx(own["clean_logprob"])


def test_the_window_is_the_one_that_the_other_half_prefers(ablation):
    windows = ablation.rows("windows")
    (chosen,) = [row for row in windows if row["chosen"]]
    assert chosen["own"] - chosen["other"] == min(row["own"] - row["other"] for row in windows)
    assert ablation.manifest.details["window"] == list(range(chosen["first_layer"], chosen["last_layer"] + 1))


def test_all_five_conditions_are_judged(ablation):
    rows = [
        row
        for row in ablation.rows("conditions")
        if (row["direction_group"], row["item_set"]) == ("neither_english", "all")
    ]
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5]
    assert all(row["rests_on"] for row in rows)
    assert ablation.manifest.details["causal"]["with_english"] is None
    effects = {row["contrast"]: row for row in ablation.rows("effects") if row["direction_group"] == "neither_english"}
    assert {"own", "own_minus_early", "swap_minus_unrelated", "own_minus_direct"} <= set(effects)
    assert {row["read"] for row in ablation.rows("side_effects")} == {"own", "unrelated_item", "unrelated_text"}
    assert any("pivot items are in the half" in warning for warning in ablation.manifest.warnings)


def test_a_second_run_is_reused_and_another_seed_is_not_the_same(base, ablation):
    before = {name: (ablation.folder / f"{name}.parquet").read_bytes() for name in _TABLES}
    again = ablate_pivots(AblateConfig(**_SETTINGS), base / "run")
    assert {name: (again.folder / f"{name}.parquet").read_bytes() for name in _TABLES} == before


@pytest.mark.parametrize("parts", [1, 3])
def test_an_interrupted_run_goes_on_to_the_same_bytes(base, ablation, tmp_path, monkeypatch, parts):
    import shutil

    for stage in ("bench", "trace"):
        shutil.copytree(base / "run" / stage, tmp_path / stage)
    write_part, written = Workspace.write_part, []

    def count(self, key, table):
        if len(written) == parts:
            raise KeyboardInterrupt
        write_part(self, key, table)
        written.append(key)

    with monkeypatch.context() as patched:
        patched.setattr(Workspace, "write_part", count)
        with pytest.raises(KeyboardInterrupt):
            ablate_pivots(AblateConfig(**_SETTINGS), tmp_path)
    made = ablate_pivots(AblateConfig(**_SETTINGS), tmp_path)
    for name in (*_TABLES, "manifest"):
        ending = "json" if name == "manifest" else "parquet"
        assert (made.folder / f"{name}.{ending}").read_bytes() == (ablation.folder / f"{name}.{ending}").read_bytes()


def test_a_trace_without_pivots_is_said_and_leaves_whole_tables(base):
    found = ablate_pivots(AblateConfig(**_SETTINGS), base / "none")
    assert any("no semantic_pivot items" in warning for warning in found.manifest.warnings)
    assert found.rows("items") == []
    assert {row["holds"] for row in found.rows("conditions")} == {None}
    assert found.manifest.details["causal"] == {"neither_english": None, "with_english": None}


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"model": "other"}, ConfigError, ["was traced"]),
        ({"directions": ("en-fr",)}, ConfigError, ["en-fr", "fr-zh"]),
        ({"last_layers": 5}, ConfigError, ["last_layers = 5", "5 blocks"]),
    ],
)
def test_what_does_not_fit_the_trace_is_named(base, tmp_path, settings, error, words):
    import shutil

    for stage in ("bench", "trace"):
        shutil.copytree(base / "run" / stage, tmp_path / stage)
    if "model" in settings:
        settings = {"model": str(write_model(tmp_path / "other"))}
    with pytest.raises(error) as found:
        ablate_pivots(AblateConfig(**_SETTINGS | settings), tmp_path)
    assert all(word in str(found.value) for word in words)


def test_a_run_without_a_trace_or_with_that_of_another_benchmark_is_refused(base, tmp_path):
    import shutil

    with pytest.raises(PrerequisiteError, match="bench"):
        ablate_pivots(AblateConfig(**_SETTINGS), tmp_path / "empty")
    build_benchmark(BenchConfig(words=str(base / "words.tsv"), distractors=4, shot_pool=8, seed=7), tmp_path)
    with pytest.raises(PrerequisiteError, match="trace"):
        ablate_pivots(AblateConfig(**_SETTINGS), tmp_path)
    shutil.copytree(base / "run" / "trace", tmp_path / "trace")
    with pytest.raises(PrerequisiteError, match="another benchmark"):
        ablate_pivots(AblateConfig(**_SETTINGS), tmp_path)
    assert Ablation.load_if_there(tmp_path) is None
    assert Trace.load(tmp_path)
