"""The lens stage: what it draws, what it learns, how it goes on, and what it refuses."""

import orjson
import pytest

from pivotlens import stages
from pivotlens.artifacts import TrainedLens
from pivotlens.cli.main import main
from pivotlens.corpus.sample import Piece
from pivotlens.errors import ConfigError, DataError
from pivotlens.lens.config import LensConfig
from pivotlens.lens.sample import held_out_apart, in_turn
from pivotlens.lens.stage import train_lens
from pivotlens.lens.training import Training
from pivotlens.pipeline import Pipeline, stage_configs
from pivotlens.settings.template import toml_template

pytestmark = pytest.mark.usefixtures("one_thread")

SETTINGS = {"tokens": 3000, "steps": 12, "held_out": 10, "candidates": 256, "checkpoint": 4, "sequence_length": 32,
            "learning_rate": 0.01}  # fmt: skip


def config(tiny, **more) -> LensConfig:
    values = {"model": str(tiny.model), "corpus": str(tiny.corpus), "device": "cpu", "bootstrap": 100, **SETTINGS}
    return LensConfig(**values | more)


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory):
    run = tmp_path_factory.mktemp("lens") / "run"
    return train_lens(config(tiny), run)


def content(result: TrainedLens) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in result.folder.iterdir() if path.name != "run.json"}


def test_training_brings_every_layer_nearer_on_held_out_documents(trained):
    rows = trained.rows("layers")
    assert [row["layer"] for row in rows] == [0, 1, 2]
    for row in rows[:-1]:
        assert row["kl_tuned"] < 0.97 * row["kl_raw"]
        assert row["kl_tuned_low"] <= row["kl_tuned"] <= row["kl_tuned_high"]
        assert row["n"] == 10
        assert row["kept_change"] in {0.25, 0.5, 0.75, 1.0}
    assert (rows[-1]["kl_raw"], rows[-1]["kl_tuned"], rows[-1]["agrees_raw"], rows[-1]["agrees_tuned"]) == (0, 0, 1, 1)
    details = trained.manifest.details
    assert details["languages"] == ["de", "en", "es", "fr", "ja", "zh"]
    assert details["tokens"] >= 3000
    assert details["model_fingerprint"] == trained.manifest.inputs["model"]


def test_the_same_settings_give_the_same_bytes_whatever_the_workers(tiny, trained, tmp_path):
    again = train_lens(config(tiny, workers=2, checkpoint=5), tmp_path)
    assert content(again) == content(trained)


def test_another_seed_gives_another_lens(tiny, trained, tmp_path):
    other = train_lens(config(tiny, seed=1), tmp_path)
    assert content(other)["lens.safetensors"] != content(trained)["lens.safetensors"]


@pytest.mark.parametrize("steps_done", [2, 9])
def test_interrupted_and_gone_on_is_never_interrupted(tiny, trained, tmp_path, monkeypatch, steps_done):
    real, done = Training.train_step, []

    def failing(self, *arguments):
        if len(done) == steps_done:
            raise KeyboardInterrupt
        done.append(int(self.step))
        return real(self, *arguments)

    monkeypatch.setattr(Training, "train_step", failing)
    with pytest.raises(KeyboardInterrupt):
        train_lens(config(tiny), tmp_path)
    assert not (tmp_path / "lens").exists()
    monkeypatch.setattr(Training, "train_step", lambda self, *rest: done.append(int(self.step)) or real(self, *rest))
    done.clear()
    result = train_lens(config(tiny), tmp_path)
    assert done[0] == steps_done // 4 * 4  # it goes on from the last checkpoint
    assert content(result) == content(trained)
    assert not (tmp_path / ".work").exists()


def test_interrupted_while_measuring_goes_on_too(tiny, trained, tmp_path, monkeypatch):
    from pivotlens.lens import run

    real, calls = run.distances, []

    def failing(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(run, "distances", failing)
    with pytest.raises(KeyboardInterrupt):
        train_lens(config(tiny), tmp_path)
    assert content(train_lens(config(tiny), tmp_path)) == content(trained)
    assert len(calls) == 3


def test_the_corpus_that_is_too_short_is_read_again_and_says_so(tiny, tmp_path):
    result = train_lens(config(tiny, tokens=60_000, steps=4, sequence_length=8), tmp_path)
    assert any("they were read again" in warning for warning in result.manifest.warnings)


def test_an_empty_corpus_is_refused(tiny, tmp_path):
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(DataError, match="holds no document"):
        train_lens(config(tiny, corpus=str(tmp_path / "empty.jsonl")), tmp_path / "run")


@pytest.mark.parametrize(
    "texts", [["a single document"], ["", "  ", "\n"], ["the same words", "the same words"], ["x", "y", "z"]]
)
def test_a_corpus_that_is_too_short_is_refused(tiny, tmp_path, texts):
    path = tmp_path / "short.jsonl"
    path.write_bytes(b"".join(orjson.dumps({"text": text, "language": "en"}) + b"\n" for text in texts))
    with pytest.raises(DataError, match="too short to train a lens on"):
        train_lens(config(tiny, corpus=str(path)), tmp_path / "run")


def test_fewer_tokens_than_steps_are_refused():
    with pytest.raises(ConfigError, match="fewer than steps"):
        LensConfig.build({"command line": {"tokens": 10, "steps": 11}})


# -- drawing


def piece(number: int, row: int, unit: int = 0, text: str | None = None) -> Piece:
    return Piece(number, "file", row, unit, text or f"text {number}")


def test_held_out_documents_are_apart_from_all_others():
    pieces = {
        "en": [piece(1, 1), piece(2, 2), piece(3, 1, 1), piece(4, 3), piece(5, 4, text="text 1")],
        "fr": [piece(6, 9)],
        "zh": [piece(7, 11), piece(8, 12)],
    }
    apart, rest = held_out_apart(pieces, 10)
    assert [one.hash for one in apart] == [1, 7, 2]
    assert {language: [one.hash for one in drawn] for language, drawn in rest.items()} == {
        "en": [4], "fr": [6], "zh": [8]
    }  # fmt: skip
    assert [one.hash for one in held_out_apart(pieces, 2)[0]] == [1, 7]
    assert [one.hash for one in in_turn(rest)] == [4, 6, 8]


# -- in the chain


def test_the_chain_trains_a_lens_only_where_the_file_asks_for_one(tiny, tmp_path):
    text = tiny.config.read_text()
    plain = tmp_path / "plain.toml"
    plain.write_text(text)
    asked = tmp_path / "asked.toml"
    asked.write_text(text + "\n[lens]\nsteps = 5\n")
    assert "lens" not in Pipeline.from_toml(plain).configs
    pipeline = Pipeline.from_toml(asked, tmp_path / "run")
    assert pipeline.configs["lens"].steps == 5
    assert pipeline.configs["lens"].model == str(tiny.model)
    names = [plan.stage for plan in pipeline.plan()]
    assert names == list(pipeline.configs)
    assert names.index("lens") == names.index("trace") - 1


def test_the_template_leaves_optional_stages_out(tmp_path):
    path = tmp_path / "template.toml"
    path.write_text(toml_template(stage_configs(), {}))
    assert "# [lens]" in path.read_text()
    configs = Pipeline.from_toml(path).configs
    assert set(configs) == {name for name, stage in stages.STAGES.items() if not stage.config.optional}


def test_the_verb_trains_and_reuses(tiny, trained, capsys):
    arguments = ["lens", "--run", str(trained.folder.parent), "--model", str(tiny.model), "--corpus", str(tiny.corpus)]
    arguments += [part for key, value in SETTINGS.items() for part in (f"--{key.replace('_', '-')}", str(value))]
    assert main([*arguments, "--bootstrap", "100", "--device", "cpu", "--json"]) == 0
    found = orjson.loads(capsys.readouterr().out)
    assert found["reused"]
    assert found["outputs"] == {"layers.parquet": 3, "lens.safetensors": None}


def test_a_head_that_cannot_be_cut_is_refused(tiny, tmp_path, monkeypatch):
    from pivotlens.errors import ModelError
    from pivotlens.models.head_slices import HeadSlices

    monkeypatch.setattr(HeadSlices, "can_be_cut", lambda self: False)
    with pytest.raises(ModelError, match="cannot be read a part of the vocabulary at a time"):
        train_lens(config(tiny), tmp_path)
