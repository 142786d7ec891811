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

from pivotlens.ablate.config import AblateConfig
from pivotlens.artifacts import RunFolder, StageResult
from pivotlens.artifacts.references import parse_reference
from pivotlens.artifacts.verification import verify_run
from pivotlens.corpus import survey_corpus
from pivotlens.count import CountConfig, count_corpus
from pivotlens.count.stage import STAGE as COUNT
from pivotlens.errors import ArtifactError, ConfigError, DataError, PrerequisiteError
from pivotlens.lens.config import LensConfig
from pivotlens.lens.stage import STAGE as LENS
from pivotlens.mine import MineConfig
from pivotlens.models.load import load_model
from pivotlens.models.resolve import model_input, resolve_model, swept_models, tokenizer_input
from pivotlens.pipeline import Pipeline, stage_configs
from pivotlens.planned import refuse_unmade
from pivotlens.report.config import ReportConfig
from pivotlens.report.run_tables import RunTables
from pivotlens.report.sections.header import cautions
from pivotlens.score.config import ScoreConfig
from pivotlens.select import SelectConfig
from pivotlens.select.stage import STAGE as SELECT
from pivotlens.settings import StageConfig
from pivotlens.stage import Stage, Work
from pivotlens.stages import STAGES
from pivotlens.train.config import TrainConfig
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


# -- what was read and is another now


def write_models(run: Path, tiny, steps: dict[str, bytes]) -> None:
    with writing(run, TrainConfig(arms=("run:select/top", "other=run:select/random")), arms_of(run)) as stage:
        for step, more in steps.items():
            for path in tiny.model.iterdir():
                shutil.copyfile(path, stage.staged(f"top/{step}/{path.name}"))
            stage.staged(f"top/{step}/more").write_bytes(more)
        stage.finish()


def arms_of(run: Path) -> dict[str, str]:
    near = RunFolder(run, reader="train")
    specs = {"top": "run:select/top", "other": "run:select/random"}
    return {f"arm {name}": survey_corpus(spec, near).fingerprint for name, spec in specs.items()}


def score_checkpoints(run: Path, *others: str) -> None:
    config = ScoreConfig(model="run:train/top@step-1", also_models=others)
    inputs = {name: value for name, value in swept_models(config, RunFolder(run)).items() if isinstance(value, str)}
    with writing(run, config, inputs) as stage:
        stage.finish()


def test_a_stage_that_read_another_result_by_reference_is_out_of_date(here, tiny):
    run = here / "run"
    shutil.rmtree(run / "bench")
    write_models(run, tiny, {"step-1": b"1", "step-2": b"2"})
    score_checkpoints(run, "run:train/top@step-2")
    with writing(run, AblateConfig(model="run:train/top@step-1"), {"trace": "t"}) as stage:
        stage.finish()  # its model is no input: it is that of the trace
    with writing(run, ReportConfig(title="run: select/top", name="run:select/.."), {}) as stage:
        stage.finish()
    assert verify_run(run, list(STAGES)).problems == []
    write_selection(run, DOCUMENTS, min_tokens=9)  # the same documents of other settings are the same corpus
    assert verify_run(run, list(STAGES)).problems == []
    write_selection(run, DOCUMENTS[:1] * 2, min_tokens=8)
    problems = verify_run(run, list(STAGES)).problems
    assert [(one.code, one.path) for one in problems] == [("V6", "train")]
    assert problems[0].message == "it was made from another result of select; run it again"
    said = [(one.stage, one.text) for one in cautions(RunTables.load(run)) if "another result" in one.text]
    assert [(stage, message.partition(" than")[0]) for stage, message in said] == [
        ("train", "made from another result of select")
    ]
    write_models(run, tiny, {"step-1": b"1", "step-2": b"another"})  # of the further model alone
    assert [(one.code, one.path) for one in verify_run(run, list(STAGES)).problems] == [("V6", "score")]
    score_checkpoints(run, "run:train/top@step-2")
    assert verify_run(run, list(STAGES)).problems == []
    write_models(run, tiny, {"step-2": b"another"})  # the first model is there no more
    assert [(one.code, one.path) for one in verify_run(run, list(STAGES)).problems] == [("V6", "score")]


def test_a_tokenizer_that_stayed_is_not_out_of_date(here, tiny):
    run, spec = here / "run", "run:train/top@step-1"
    shutil.rmtree(run / "bench")
    write_models(run, tiny, {"step-1": b"1"})
    inputs = {"tokenizer": str(tokenizer_input(spec, RunFolder(run)))}
    with writing(run, CountConfig(corpus=str(here / "elsewhere"), tokenizer=spec), inputs) as stage:
        stage.finish()
    write_models(run, tiny, {"step-1": b"another"})
    assert verify_run(run, list(STAGES)).problems == []
    with writing(run, CountConfig(corpus=str(here / "elsewhere"), tokenizer=spec), {"tokenizer": "0"}) as stage:
        stage.finish()
    assert [(one.code, one.path) for one in verify_run(run, list(STAGES)).problems] == [("V6", "count")]


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


@pytest.mark.parametrize(
    ("stage", "settings", "message", "hint"),
    [
        ("count", {"corpus": "run:select/nosuch"}, "corpus of count names run:select/nosuch", "known: matched, top."),
        ("count", {"corpus": "run:select/topp"}, "names run:select/topp", "did you mean 'top'?"),
        ("count", {"corpus": "run:select/top@step-1"}, "names run:select/top@step-1", "known: matched, top."),
        ("score", {"model": "run:train/top-2"}, "model of score names run:train/top-2", "did you mean 'top-"),
        ("score", {"model": "run:train/top"}, "names run:train/top, which the settings of train do not make", "top-0"),
        (
            "score",
            {"also_models": ("m", "run:train/web-1@step-999")},
            "names run:train/web-1@step-999",
            "did you mean 'web-1@step-",
        ),
        ("train", {"arms": ("a=run:select/nosuch",)}, "arms of train names run:select/nosuch", "known: "),
    ],
)
def test_a_chain_that_names_what_it_will_not_make(tmp_path, stage, settings, message, hint):
    made = {
        "select": SelectConfig(arms=("top", "matched")),
        "train": TrainConfig(model="m", arms=("run:select/top", "web=x.jsonl"), seeds=(0, 1), tokens=1_024_000,
                             sequence_length=512, batch_sequences=4, checkpoint_steps=(3, 400),
                             checkpoint_tokens=(10_000,)),
    }  # fmt: skip
    config = stage_configs()[stage](**{"model": "m", **settings} if stage != "count" else settings)
    with pytest.raises(ConfigError, match=message) as caught:
        refuse_unmade(config, made)
    assert hint in caught.value.hint
    if stage == "train":
        chain = Pipeline(tmp_path, {"train": config}, {"train": {}})
        with pytest.raises(PrerequisiteError):  # without select in the chain the run folder is asked
            chain.plan()


@pytest.mark.parametrize(
    "model", ["run:train/top-0", "run:train/web-1@step-3", "run:train/top-1@step-5", "run:train/top-1@step-10"]
)
def test_what_a_chain_will_make_is_taken(model):
    settings = {"model": "m", "arms": ("run:select/top", "web=x.jsonl"), "seeds": (0, 1), "checkpoint_steps": (3,)}
    train = TrainConfig(**settings, tokens=20_480, checkpoint_tokens=(10_000,))
    refuse_unmade(ScoreConfig(model=model), {"train": train})
    refuse_unmade(ScoreConfig(model=f"run:elsewhere:{model.removeprefix('run:')}x"), {"train": train})
    # Only the arms tell how long they are trained on.
    refuse_unmade(ScoreConfig(model="run:train/top-1@step-999"), {"train": TrainConfig(**settings)})
    with pytest.raises(ConfigError, match="names run:train/top-1@last"):
        refuse_unmade(ScoreConfig(model="run:train/top-1@last"), {"train": TrainConfig(**settings)})


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
