"""A model or corpus named as what a stage made: where it leads, and what stands for it in a fingerprint."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import ClassVar

import orjson
import pytest
import zstandard
from corpus_fixture import write_bench, write_corpus, write_tokenizer

from pivotlens.artifacts import RunFolder, StageResult
from pivotlens.artifacts.references import parse_reference
from pivotlens.count import CountConfig, count_corpus
from pivotlens.count.stage import STAGE as COUNT
from pivotlens.errors import ArtifactError, ConfigError, DataError, PrerequisiteError
from pivotlens.lens.config import LensConfig
from pivotlens.lens.stage import STAGE as LENS
from pivotlens.mine import MineConfig
from pivotlens.models.load import load_model
from pivotlens.models.resolve import model_input, resolve_model, tokenizer_input
from pivotlens.pipeline import Pipeline
from pivotlens.select import SelectConfig
from pivotlens.select.stage import STAGE as SELECT
from pivotlens.settings import StageConfig
from pivotlens.stage import Stage, Work
from pivotlens.stages import STAGES
from pivotlens.train import TrainConfig
from stage_by_hand import writing

MINED = dict.fromkeys(("bench", "count", "mine"), "m")
DOCUMENTS = [{"text": "water the mountain", "language": "en"}, {"text": "eau montagne", "language": "fr"}]


def compressed(documents: list[dict[str, str]]) -> bytes:
    return zstandard.ZstdCompressor().compress(b"".join(orjson.dumps(row) + b"\n" for row in documents))


def write_selection(run: Path, documents: list[dict[str, str]] = DOCUMENTS, **settings: int) -> None:
    with writing(run, SelectConfig(**settings), {}) as stage:
        stage.staged("top/documents-00000.jsonl.zst", len(documents)).write_bytes(compressed(documents))
        stage.staged("top/README.md").write_text("a card")
        stage.staged("random/documents-00000.jsonl.zst", 1).write_bytes(compressed(documents[:1]))
        stage.finish()


@pytest.fixture
def here(tmp_path: Path) -> Path:
    write_selection(tmp_path / "run")
    write_bench(tmp_path / "run")
    write_tokenizer(tmp_path / "model")
    return tmp_path


def counting(here: Path, corpus: str = "run:select/top") -> CountConfig:
    return CountConfig(corpus=corpus, tokenizer=str(here / "model"))


# -- the grammar


@pytest.mark.parametrize(
    ("spec", "run", "stage", "place"),
    [
        ("run:select/top", None, "select", "top"),
        ("run:train/top@step-400", None, "train", "top/step-400"),
        ("run:runs/first:select/top", "runs/first", "select", "top"),
        ("run:/data/a:b/run:train/random@step-1", "/data/a:b/run", "train", "random/step-1"),
    ],
)
def test_what_a_reference_names(spec, run, stage, place):
    found = parse_reference(spec)
    assert found is not None
    assert (found.run, found.stage, found.place) == (run and Path(run), stage, place)


@pytest.mark.parametrize(
    "spec", ["run:", "run:select", "run:select/", "run:/top", "run:select/../x", "run:select/..",
                                  "run:select/top@", "run:select/top@..", "run:a:select", "run:select/top@a@b"]
)  # fmt: skip
def test_what_is_none_is_refused(spec, tmp_path):
    with pytest.raises(ConfigError, match="names nothing that a stage made"):
        RunFolder(tmp_path).made(spec)


def test_other_specs_are_no_references(tmp_path):
    for spec in ("demo:tatoeba", "runs/x", "hf://a/b", "org/name@main"):
        assert RunFolder(tmp_path).made(spec) is None


# -- what it leads to


def test_what_is_not_there_is_told(here):
    near = RunFolder(here / "run", reader="count")
    with pytest.raises(PrerequisiteError, match=r"'run:train/top' needs the result of 'train'.*\n.*pivotlens train"):
        near.made("run:train/top")
    with pytest.raises(PrerequisiteError, match=r"made no 'tip'\ndid you mean 'top'"):
        near.made("run:select/tip")
    with pytest.raises(PrerequisiteError, match=r"made no 'top@step-1'\nknown: random, top\."):
        near.made("run:select/top@step-1")
    with pytest.raises(ConfigError, match="its own result"):
        SELECT.plan(SelectConfig(corpus="run:select/top", tokenizer="m"), here / "run", planned=MINED)
    with pytest.raises(ConfigError, match="its own result"):
        RunFolder(here / "run", reader="select").made(f"run:{here}/run:select/top")


def test_a_name_that_is_none_is_told_with_what_is_like_it(here):
    near = RunFolder(here / "run", reader="count")
    with pytest.raises(PrerequisiteError, match=r"needs the result of 'selct'.*\nDid you mean 'select'\?"):
        near.made("run:selct/top")
    with pytest.raises(PrerequisiteError, match=r"bench in .* made no 'items'\nIt makes no documents"):
        near.made("run:bench/items")


def test_what_was_made_from_the_reader_is_no_input_of_it(here):
    run = here / "run"
    with writing(run, MineConfig(), {"count": "c"}) as stage:
        stage.finish()
    with writing(run, SelectConfig(), {"mine": "m", "corpus": "d"}) as stage:
        stage.staged("top/documents-00000.jsonl.zst").write_bytes(compressed(DOCUMENTS))
        stage.finish()
    for spec in ("run:select/top", f"run:{run}:select/top"):
        with pytest.raises(ConfigError, match="select was made from the result of count"):
            COUNT.plan(counting(here, spec), run)
        assert RunFolder(run, reader="lens").made(spec) is not None
        assert RunFolder(here / "next", reader="count").made(f"run:{run}:select/top") is not None


def test_its_sum_stands_for_it_and_not_its_time(here):
    plan = COUNT.plan(counting(here), here / "run")
    documents = here / "run/select/top/documents-00000.jsonl.zst"
    os.utime(documents, ns=(1, 1))
    assert COUNT.plan(counting(here), here / "run").inputs == plan.inputs
    # The same documents elsewhere, of another result, are the same corpus.
    write_selection(here / "other", min_tokens=9)
    elsewhere = counting(here, f"run:{here}/other:select/top")
    assert COUNT.plan(elsewhere, here / "run").inputs == plan.inputs
    write_selection(here / "other", DOCUMENTS[:1])
    assert COUNT.plan(elsewhere, here / "run").inputs["corpus"] != plan.inputs["corpus"]
    documents.write_bytes(b"other")
    with pytest.raises(ArtifactError, match="was changed since its stage made it"):
        COUNT.plan(counting(here), here / "run")


def test_documents_of_a_selection_are_counted_as_if_they_lay_elsewhere(here):
    counts = count_corpus(counting(here), here / "run")
    assert counts.manifest.config["corpus"] == "run:select/top"
    assert counts.manifest.details["documents"] == len(DOCUMENTS)
    shutil.copytree(here / "run/bench", here / "plain/bench")
    shutil.copytree(here / "run/select/top", here / "documents")
    plain = count_corpus(counting(here, str(here / "documents")), here / "plain")
    for name in plain.manifest.outputs:
        assert plain.manifest.outputs[name] == counts.manifest.outputs[name]


def test_other_stages_take_it_too(here, tiny):
    other = f"run:{here}/run:select/random"
    for plan in (
        SELECT.plan(SelectConfig(corpus=other, tokenizer=str(here / "model")), here / "next", planned=MINED),
        LENS.plan(LensConfig(corpus=other, model=str(tiny.model)), here / "next"),
        LENS.plan(LensConfig(corpus="run:select/random", model=str(tiny.model)), here / "run"),
    ):
        assert [file.name for file in plan.sources["corpus"].files] == ["documents-00000.jsonl.zst"]


def test_a_model_that_a_stage_made(here, tiny):
    run = here / "run"
    with writing(run, TrainConfig(), {}) as stage:
        for path in tiny.model.iterdir():
            shutil.copyfile(path, stage.staged(f"top/step-400/{path.name}"))
        stage.finish()
    near, spec = RunFolder(run), "run:train/top@step-400"
    resolved = resolve_model(spec, near=near)
    assert (resolved.spec, resolved.folder) == (spec, run / "train/top/step-400")
    assert model_input(spec, near) == resolved.fingerprint
    assert tokenizer_input(spec, near) == tokenizer_input(str(tiny.model), near)
    loaded = load_model(spec, device="cpu", near=near)
    assert loaded.details()["model"] == spec
    assert loaded.details()["model_fingerprint"] == resolved.fingerprint
    weights = run / "train/top/step-400/model.safetensors"
    os.utime(weights, ns=(1, 1))
    assert model_input(spec, near) == resolved.fingerprint
    weights.write_bytes(b"")
    with pytest.raises(ArtifactError, match="was changed since"):
        load_model(spec, device="cpu", near=near)


# -- in a chain


class PickConfig(StageConfig):
    """Makes documents."""

    stage: ClassVar[str] = "pick"


class Picked(StageResult):
    """Them."""

    stage: ClassVar[str] = "pick"


def pick(work: Work[PickConfig]) -> dict[str, object]:
    work.writer.staged("some/documents.jsonl.zst").write_bytes(compressed(DOCUMENTS))
    return {}


def test_an_arm_that_has_steps_is_its_last_one(here):
    with writing(here / "run", TrainConfig(), {}) as stage:
        for step in (5, 40, 100):
            stage.staged(f"top/step-{step}/config.json").write_text(f"{step}")
        stage.finish()
    near = RunFolder(here / "run")
    last, named = near.made("run:train/top"), near.made("run:train/top@step-100")
    assert last == named
    assert last.folder == here / "run/train/top/step-100"
    assert last.fingerprint != near.made("run:train/top@step-40").fingerprint


def test_what_a_chain_is_still_to_make(here, monkeypatch):
    place = f"{__name__}:"
    stage = Stage(config=PickConfig, result=f"{place}Picked", version=1, function="", work=f"{place}pick", examples=())
    monkeypatch.setitem(STAGES, "pick", stage)
    configs = {"pick": PickConfig(), "count": counting(here, "run:pick/some")}
    chain = Pipeline(here / "run", configs, {"pick": {}, "count": {}})
    first, again = chain.plan(), chain.plan()
    assert [plan.reason for plan in first] == ["no result yet"] * 2
    assert first[1].fingerprint == again[1].fingerprint
    seen = []
    chain.run(seen.append)
    assert seen[1].inputs["corpus"] != first[1].inputs["corpus"]
    assert [plan.reason for plan in chain.plan()] == [None, None]
    assert count_corpus(configs["count"], here / "run").manifest.fingerprint == seen[1].fingerprint


# -- what was listed is what is read


@pytest.mark.parametrize("change", ["longer", "later", "gone"])
def test_a_file_that_changes_after_it_was_listed_is_named(here, change):
    corpus = write_corpus(here / "corpus")
    plan = COUNT.plan(counting(here, str(corpus)), here / "run")
    path = corpus / "part-1.jsonl"
    if change == "longer":
        path.write_bytes(path.read_bytes() * 2)
    elif change == "later":
        os.utime(path, ns=(1, 1))
    else:
        path.unlink()
    with pytest.raises(DataError, match=r"part-1\.jsonl"):
        COUNT.execute(plan)


def test_a_file_that_comes_after_the_listing_is_not_read(here):
    corpus = write_corpus(here / "corpus")
    plan = COUNT.plan(counting(here, str(corpus)), here / "run")
    (corpus / "part-9.jsonl").write_bytes(b"not listed")
    assert COUNT.execute(plan).manifest.details["corpus_files"] == 3
