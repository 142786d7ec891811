"""The field experiment in a tiny world: it runs whole, goes on where it was, and its page follows from small files."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import orjson
import pytest
import scipy.stats

from examples.replication import __main__ as experiment
from examples.replication.__main__ import HERE, main
from examples.replication.analysis import analyse, power
from examples.replication.artifacts import Training, Tries
from examples.replication.conclusion import conclusion
from examples.replication.documents import select
from examples.replication.page import page
from examples.replication.pilot import filled
from examples.replication.settings import Settings
from pivotlens.artifacts import Benchmark
from pivotlens.bench.config import BenchConfig
from pivotlens.count.config import CountConfig
from pivotlens.errors import ConfigError
from pivotlens.mine.config import MineConfig
from pivotlens.report.blocks import plain
from pivotlens.score.config import ScoreConfig
from pivotlens.select.config import SelectConfig
from pivotlens.trace.config import TraceConfig
from pivotlens.train.config import TrainConfig

pytestmark = pytest.mark.usefixtures("one_thread")

SETTINGS = """
model = {model!r}
corpus = {corpus!r}
languages = ["en", "fr"]
held_out_share = 0.2
primary = ["top", "matched"]
traced = ["top"]
seeds = {{ top = 2, matched = 2, random = 1 }}

[pilot]
learning_rates = [1e-3, 1e-2]
seeds = [7, 8]

[stages.bench]
words = {words!r}
parts = ["mining=0.5", "dev=0.2", "test=0.3"]
shot_pool = 6
distractors = 2
calibration = 6

[stages.count]
unit_characters = 1024

[stages.mine]
min_df = 1
max_q = 1.0
max_null = 1.0
shuffles = 2
other_parts = "keep"

[stages.select]
unit_characters = 1024
budget_tokens = 400
min_tokens = 4
sequence_length = 32

[stages.frequency]
unit_characters = 256

[stages.train]
sequence_length = 32
batch_sequences = 4
tokens = 512
checkpoint_tokens = [256]
score_concepts = 4
shots = 2
held_out_units = 1
bootstrap = 100
precision = "float32"

[stages.score]
limit_concepts = 6
shots = 2
shot_sets = 1
newline = "left"
bootstrap = 100

[stages.trace]
limit_concepts = 4
shots = 2
bootstrap = 100
"""


@pytest.fixture(scope="module")
def settings(tiny, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("replication") / "tiny.toml"
    path.write_text(SETTINGS.format(model=str(tiny.model), corpus=str(tiny.corpus), words=str(tiny.words)))
    return path


def run_it(settings: Path, *more: str) -> int:
    return main([str(settings.parent / "run"), "--settings", str(settings), "--processes", "1", *more])


@pytest.fixture(scope="module")
def run(settings: Path) -> Path:
    assert run_it(settings) == 0
    return settings.parent / "run"


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_it_runs_whole_and_leaves_small_files_and_a_page(run: Path) -> None:
    assert {path.stem for path in (run / "results").iterdir()} == {
        "pilot", "documents", "none", "top-0", "top-1", "matched-0", "matched-1", "random-0",
    }  # fmt: skip
    assert not list((run / "trainings").rglob("*.safetensors")), "checkpoints go when they are scored"
    text = (run / "results.md").read_text(encoding="utf-8")
    assert text.index("can be found") < text.index("over seeds"), "what could be found is said first"
    for name in ("top", "matched", "random"):
        assert f"`{name}`" in text
    assert {path.name for path in (run / "figures").iterdir()} == {"contrasts.svg", "curves.svg"}
    assert all(name in text for name in ("contrasts.svg", "curves.svg", "No deviation"))


def test_what_is_missing_is_done_again_and_comes_out_the_same(run: Path, settings: Path) -> None:
    before = content(run / "results") | {"page": (run / "results.md").read_bytes()}
    (run / "results/matched-1.json").unlink()
    (run / "results.md").unlink()
    assert run_it(settings) == 0
    assert content(run / "results") | {"page": (run / "results.md").read_bytes()} == before


@pytest.mark.slow
def test_two_processes_give_the_same(run: Path, settings: Path) -> None:
    before = content(run / "results")
    for name in ("top-0", "random-0"):
        (run / f"results/{name}.json").unlink()
    assert main([str(run), "--settings", str(settings), "--processes", "2"]) == 0
    assert content(run / "results") == before


def test_the_tested_concepts_are_those_of_the_test_part_alone(run: Path) -> None:
    mined = {row["concept_id"] for row in Benchmark.load(run / "mining").rows("items") if row["split"] == "test"}
    scored = set(orjson.loads((run / "results/top-0.json").read_bytes())["concepts"])
    developed = set(orjson.loads((run / "pilot/random-7-0.001.json").read_bytes())["concepts"])
    assert scored
    assert not scored & (mined | developed)
    assert not developed & mined


def test_an_arm_is_drawn_anew_with_every_seed_unless_it_is_the_best(run: Path) -> None:
    documents = {
        name: orjson.loads((run / f"results/{name}.json").read_bytes())["documents"]
        for name in ("top-0", "top-1", "matched-0", "matched-1")
    }
    assert documents["top-0"] == documents["top-1"]
    assert len(set(documents.values())) == 3


def test_the_endpoint_by_hand(run: Path, settings: Path) -> None:
    def score(name: str) -> float:
        of = orjson.loads((run / f"results/{name}.json").read_bytes())["scores"]
        return sum(sum(values) / len(values) for values in of.values()) / len(of)

    scores = [[score(f"{arm}-{seed}") for seed in (0, 1)] for arm in ("top", "matched")]
    expected = scipy.stats.ttest_ind(*scores, equal_var=False)
    here = Settings.read(settings)
    names = ("none", "top-0", "top-1", "matched-0", "matched-1", "random-0")
    found = analyse(here, [Training.read(run / f"results/{name}.json", here.fingerprint) for name in names])
    assert found.endpoint.seeds.p == pytest.approx(expected.pvalue)
    assert found.endpoint.seeds.interval.low == pytest.approx(expected.confidence_interval().low)
    assert found.endpoint.concepts.value == pytest.approx(found.endpoint.seeds.interval.value)
    assert found.reference.tokens == 0
    assert found.arms["random"].gain == pytest.approx(score("random-0") - score("none"))
    assert [one.other for one in found.contrasts] == ["random"]


def test_the_pilot_fills_its_slot(run: Path, settings: Path) -> None:
    assert run_it(settings, "--pilot") == 0
    text, here = (run / "preregistration.md").read_text(encoding="utf-8"), Settings.read(settings)
    tries = Tries.read(run / "results/pilot.json", here.fingerprint)
    assert tries is not None
    assert "The pilot has not run" not in text
    assert f"**{tries.learning_rate:g}**" in text
    assert f"**{power(here, tries).detectable.value:.4f}**" in text
    assert max(tries.rates, key=lambda row: row["score"])["learning_rate"] == tries.learning_rate
    assert filled(text, here, tries) == text


def test_results_of_other_settings_are_refused(run: Path, settings: Path, tmp_path: Path, capsys) -> None:
    other = tmp_path / "other.toml"
    other.write_text(settings.read_text().replace("tokens = 512", "tokens = 256"))
    assert main([str(run), "--settings", str(other), "--page"]) == 6
    assert "made with other settings" in capsys.readouterr().err


def test_too_few_documents_are_refused_before_any_training(run: Path, settings: Path) -> None:
    here = Settings.read(settings)
    stages = here.stages | {"train": here.stages["train"] | {"tokens": 100_000}}
    with pytest.raises(ConfigError, match="some would be read twice"):
        select(here.model_copy(update={"stages": stages}), run, 0, here.arms(0), 1)


# -- the conclusion


def made(settings: Settings, effect: float) -> list[Training]:
    """Return trainings as they would be if arm ``top`` were better by an effect; seeds and concepts differ a little."""
    rng = np.random.default_rng(0)
    concepts = rng.normal(0.2, 0.01, size=(40, 2))

    def training(arm: str, seed: int, gain: float) -> Training:
        values = concepts + gain + rng.normal(0, 1e-3)
        scores = {"en-fr": values[:, 0].tolist(), "fr-en": values[:, 1].tolist()}
        return Training(
            settings.fingerprint, arm, seed, 1e-4, 512, "d", [f"c{n}" for n in range(40)], scores, [], [], []
        )

    arms = {"top": 0.1 + effect, "matched": 0.1, "random": 0.05}
    return [
        training("none", 0, 0.0),
        *(training(arm, seed, gain) for arm, gain in arms.items() for seed in range(settings.seeds[arm])),
    ]


@pytest.mark.parametrize(
    ("effect", "said"), [(0.05, "It helps."), (-0.05, "It does not help."), (0.0, "A null, and what it bounds.")]
)
def test_the_conclusion_follows_the_rule(settings: Path, effect: float, said: str) -> None:
    here = Settings.read(settings)
    here = here.model_copy(update={"seeds": {"top": 6, "matched": 6, "random": 3}})
    found = analyse(here, made(here, effect))
    tries = Tries(here.fingerprint, "random", 512, [], 1e-4, [{"seed": n, "score": n / 1000} for n in range(4)])
    sentences = [plain(sentence) for sentence in conclusion(here, found, power(here, tries))]
    assert "can be found" in sentences[0]
    assert said in sentences[1]
    assert (len(sentences) == 5) == (said.startswith("A null"))
    ends = found.endpoint.seeds.interval
    assert ends.low < effect < ends.high
    if said.startswith("A null"):
        assert f"at most {100 * ends.high:.2f} of a point more" in sentences[2]
    assert found.arms["matched"].gain == pytest.approx(0.1, abs=0.005)
    assert ("random (+)" in sentences[-1]) == (effect >= 0), "top is then as good as random"
    (contrast,) = found.contrasts
    assert contrast.adjusted_p == pytest.approx(contrast.seeds.p)


# -- what is published


@pytest.mark.parametrize("name", ["settings.toml", "quick.toml"])
def test_settings_are_those_of_the_stages(name: str) -> None:
    here = Settings.read(HERE / name)
    for config in (BenchConfig, CountConfig, MineConfig, ScoreConfig, SelectConfig, TraceConfig, TrainConfig):
        part = {"part": "test"} if config is BenchConfig else {}
        assert here.stage(config, **part).stage == config.stage
    assert here.named("frequency", CountConfig).unit_characters == 256
    assert set(here.stages) <= {"bench", "count", "mine", "select", "frequency", "train", "score", "trace"}


def test_the_preregistration_says_what_the_settings_say() -> None:
    here, text = Settings.read(HERE / "settings.toml"), (HERE / "preregistration.md").read_text(encoding="utf-8")
    train = here.stage(TrainConfig)
    step = train.sequence_length * train.batch_sequences
    assert train.tokens is not None
    assert f"{train.tokens // step} steps of {step:,} tokens" in text
    assert f"{here.stage(SelectConfig).budget_tokens:,} tokens of French and of German" in text
    assert f"{here.stage(ScoreConfig).limit_concepts} test concepts" in text
    assert {name: here.seeds[name] for name in here.primary} == dict.fromkeys(("top", "matched"), 6)
    others = [name for name in here.seeds if name not in here.primary]
    assert ", ".join(f"`{name}`" for name in others) in text
    assert {here.seeds[name] for name in others} == {3}
    tries = Tries.read(HERE / "results/pilot.json", here.fingerprint)
    assert ("The pilot has not run" in text) == (tries is None)
    assert tries is None or filled(text, here, tries) == text


def test_the_published_page_is_written_from_the_published_results() -> None:
    if not (HERE / "results.md").exists():
        pytest.skip("the experiment has not been run")
    text, figures = page(Settings.read(HERE / "settings.toml"), HERE)
    assert (HERE / "results.md").read_text(encoding="utf-8") == text
    assert {path.name: path.read_text(encoding="utf-8") for path in (HERE / "figures").iterdir()} == figures


def test_the_page_alone_says_what_is_missing(settings: Path, tmp_path: Path, capsys) -> None:
    assert main([str(tmp_path), "--settings", str(settings), "--page"]) == 3
    assert "lacks 8 results, the first is pilot.json" in capsys.readouterr().err


def test_without_a_pilot_the_experiment_does_not_begin(tmp_path: Path, monkeypatch, capsys) -> None:
    for name in ("settings.toml", "preregistration.md"):
        shutil.copy(HERE / name, tmp_path / name)
    monkeypatch.setattr(experiment, "HERE", tmp_path)
    assert main([str(tmp_path / "run")]) == 2
    assert "Run it first with --pilot" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("primary", '["top", "other"]'), "arm 'other' is named and has no seeds"),
        (("seeds", "{ top = 1, matched = 2, random = 1 }"), "needs two seeds or more"),
        (("languages", '["en"]'), "languages in"),
        (("held_out_share", "1.5"), "held_out_share in"),
        (("corpora", "1"), "corpora in"),
    ],
)
def test_impossible_settings_are_told(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    text = SETTINGS.format(model="m", corpus="c", words="w")
    name, value = change
    changed = re.sub(f"^{name} = .*\n", "", text, count=1, flags=re.MULTILINE)
    (tmp_path / "x.toml").write_text(f"{name} = {value}\n{changed}")
    with pytest.raises(ConfigError, match=message):
        Settings.read(tmp_path / "x.toml")
