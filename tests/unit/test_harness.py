"""The harness tasks without the harness: documents, tokens, measures, options, files and the verb."""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import transformers as hf
from tools.write_harness_tasks import task_files

from odd_tokenizers import closing_tokenizer, joining_tokenizer
from pivotlens.artifacts import Benchmark
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark
from pivotlens.cli.main import main
from pivotlens.errors import ConfigError, DataError, ModelError, PrerequisiteError
from pivotlens.harness.config import HarnessConfig, read_options
from pivotlens.harness.documents import make_documents, open_benchmark
from pivotlens.harness.tokens import HarnessTokenizer, tokenizer_of
from pivotlens.harness.word_translation import load, measure
from pivotlens.score.config import ScoreConfig
from pivotlens.text import Direction
from pivotlens.translation.prompts import draw_shot_sets, prompt_text

TASKS = Path(__file__).parents[2] / "src" / "pivotlens" / "harness" / "tasks"
EN_FR = Direction("en", "fr")
CHOICES = 5


@pytest.fixture(scope="module")
def tiny_run(tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("harness") / "run"
    build_benchmark(BenchConfig(words=str(tiny.words), distractors=CHOICES - 1, shot_pool=8, calibration=20), run)
    return run


@pytest.fixture(scope="module")
def tokenizer(tiny) -> Any:
    return hf.AutoTokenizer.from_pretrained(tiny.model)


@pytest.mark.parametrize("prompt", ["english", "native", "bare"])
def test_documents_hold_the_prompts_of_the_score_stage(tiny_run, tokenizer, prompt):
    benchmark = Benchmark.load(tiny_run)
    options = HarnessConfig(shots=2, shot_sets=3, limit_concepts=4, prompt=prompt, seed=7)
    documents, left_out = make_documents(benchmark, EN_FR, options, HarnessTokenizer(tokenizer))
    assert left_out == []
    assert [document["concept_id"] for document in documents] == [
        concept.concept_id for concept in benchmark.test_concepts(4)
    ]
    drawn = draw_shot_sets([concept.concept_id for concept in benchmark.shot_concepts()], 2, 3, 7)
    for document in documents:
        concept = benchmark.concepts[document["concept_id"]]
        assert document["choices"] == [concept.concept_id, *concept.distractors]
        assert document["answer"] == f" {concept.words['fr']}"
        assert document["gold"] == 0
        expected, tokens = [], []
        for shots in drawn:
            examples = [(benchmark.concepts[shot].words["en"], benchmark.concepts[shot].words["fr"]) for shot in shots]
            for choice in document["choices"]:
                expected.append(prompt_text(EN_FR, examples, benchmark.concepts[choice].words["en"], prompt))
                whole = tokenizer(expected[-1] + document["answer"], return_offsets_mapping=True)["offset_mapping"]
                tokens.append(sum(end > len(expected[-1]) for _, end in whole))
        assert document["contexts"] == expected
        assert document["tokens"] == tokens


def measured_slowly(sums: list[list[float]], tokens: list[list[int]]) -> dict[str, float]:
    """The measures of one document, the right choice first in each set, in plain loops."""
    found: dict[str, list[float]] = {"score": [], "probability_share": [], "margin": [], "accuracy_10way": []}
    for values, counts in zip(sums, tokens, strict=True):
        normed = [math.exp(value / count) for value, count in zip(values, counts, strict=True)]
        plain = [math.exp(value) for value in values]
        found["score"].append(normed[0] - sum(normed[1:]) / len(normed[1:]))
        found["probability_share"].append(plain[0] / sum(plain))
        found["margin"].append(values[0] - math.log(sum(plain[1:]) / len(plain[1:])))
        best = [value for value in values if value == max(values)]
        found["accuracy_10way"].append(1 / len(best) if values[0] == max(values) else 0.0)
    return {name: sum(values) / len(values) for name, values in found.items()}


@pytest.mark.parametrize("same_spelling", [False, True])
def test_measures_are_those_of_a_slow_loop(same_spelling):
    generator = np.random.default_rng(3)
    sums = (-generator.exponential(3, (4, 10))).round(1).tolist()
    sums[2][0] = sums[2][5] = max(sums[2])  # a tie
    tokens = generator.integers(1, 4, (4, 10)).tolist()
    document = {
        "concept_id": "water.n",
        "direction": "en-fr",
        "same_spelling": same_spelling,
        "choices": [str(number) for number in range(10)],
        "tokens": [count for counts in tokens for count in counts],
    }
    found = measure(document, [(value, False) for values in sums for value in values])
    expected = measured_slowly(sums, tokens)
    if not same_spelling:
        expected["score_different_spelling"] = expected["score"]
    assert found == pytest.approx(expected)


def test_nan_is_an_error():
    document = {"concept_id": "water.n", "direction": "en-fr", "same_spelling": False, "choices": ["a", "b"],
                "tokens": [1, 1]}  # fmt: skip
    with pytest.raises(ModelError, match=r"NaN for concept 'water\.n' \(en-fr\)"):
        measure(document, [(-1.0, True), (math.nan, False)])


def test_loader_gives_a_data_set_of_the_run_folder(tiny, tiny_run):
    options = {"benchmark": str(tiny_run), "shots": 2, "shot_sets": 2, "limit_concepts": 3}
    (split, found), *more = load("fr-zh", pretrained=str(tiny.model), version=1, pivotlens=options).items()
    assert (split, more) == ("test", [])
    assert len(found) == 3
    assert len(found[0]["contexts"]) == len(found[0]["tokens"]) == 2 * CHOICES
    assert found[0]["direction"] == "fr-zh"


def test_default_benchmark_is_the_bundled_one():
    benchmark = open_benchmark(HarnessConfig().benchmark)
    assert set(benchmark.languages) == {"en", "fr", "de", "es", "zh", "ja"}
    assert not benchmark.folder.exists()
    assert {len(concept.distractors) for concept in benchmark.test_concepts()} == {9}


def test_options_default_to_the_score_stage():
    for name in ("prompt", "shots", "shot_sets", "seed"):
        assert getattr(HarnessConfig(), name) == getattr(ScoreConfig(), name), name


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"shot_set": 3}, "unknown setting 'shot_set'"),
        ({"shots": 0}, "shots = 0"),
        (3, "no table of options"),
    ],
)
def test_wrong_options_are_named(given, message):
    with pytest.raises(ConfigError, match=message) as caught:
        read_options({"pivotlens": given})
    assert "docs/harness.md" in caught.value.hint


def test_wrong_benchmarks_are_named(tiny, tiny_run, tmp_path):
    with pytest.raises(DataError, match="'everyday-nuns'"):
        open_benchmark("everyday-nuns")
    with pytest.raises(PrerequisiteError, match="bench"):
        open_benchmark(str(tmp_path))
    with pytest.raises(ConfigError, match="language 'de' of de-fr"):
        load("de-fr", pretrained=str(tiny.model), pivotlens={"benchmark": str(tiny_run)})


def test_without_a_tokenizer_it_refuses():
    with pytest.raises(ConfigError, match="name a tokenizer") as caught:
        load("en-fr", version=1)
    assert "--metadata tokenizer=" in caught.value.hint


def test_a_tokenizer_that_cannot_be_loaded_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"tokenizer '.*' cannot be loaded"):
        tokenizer_of({"pretrained": str(tmp_path)})


def test_a_slow_tokenizer_is_refused():
    class Slow:
        is_fast = False

    with pytest.raises(ModelError, match="'Slow' is not a fast one"):
        tokenizer_of({"tokenizer": Slow()})


def test_tokenizer_is_found_as_the_backends_name_it(tiny, tokenizer):
    class Model:
        name_or_path = str(tiny.model)

    assert tokenizer_of({"pretrained": Model()}).tokenizer.get_vocab() == tokenizer.get_vocab()
    assert tokenizer_of({"tokenizer": tokenizer, "pretrained": "else"}).tokenizer is tokenizer
    assert tokenizer_of({"pretrained": str(tiny.model)}).special is None
    assert tokenizer_of({"pretrained": str(tiny.model), "add_bos_token": True}).special is True
    # Remote models get no special tokens from the harness unless it is told to.
    assert tokenizer_of({"model": str(tiny.model)}).special is False


@pytest.mark.parametrize("make", [joining_tokenizer, closing_tokenizer])
def test_documents_that_would_be_cut_elsewhere_are_refused(tiny_run, make):
    benchmark = Benchmark.load(tiny_run)
    with pytest.raises(ModelError, match="give the model other tokens than pivotlens does, or cut them elsewhere"):
        make_documents(benchmark, EN_FR, HarnessConfig(shots=2, shot_sets=2), HarnessTokenizer(make()))


def test_documents_that_would_be_cut_elsewhere_can_be_left_out(tiny_run, caplog):
    benchmark = Benchmark.load(tiny_run)
    tokenizer = joining_tokenizer()
    joined = [
        concept.concept_id for concept in benchmark.test_concepts() if concept.words["fr"].startswith("m")
    ]  # ": m" is one token
    assert joined
    options = {"benchmark": str(tiny_run), "shots": 2, "shot_sets": 1, "boundary": "leave_out"}
    found = load("en-fr", tokenizer=tokenizer, pivotlens=options)["test"]
    assert not set(found["concept_id"]) & set(joined)
    assert set(found["concept_id"]) | set(joined) == {concept.concept_id for concept in benchmark.test_concepts()}
    assert f"{len(joined)} of {len(found) + len(joined)} concepts are left out" in caplog.text
    assert joined[0] in caplog.text


def test_nothing_left_is_an_error(tiny_run):
    options = HarnessConfig(shots=2, shot_sets=1, boundary="leave_out")
    with pytest.raises(ModelError, match="cut them elsewhere"):
        make_documents(Benchmark.load(tiny_run), EN_FR, options, HarnessTokenizer(closing_tokenizer()))


def test_task_files_follow_from_the_tool():
    there = {path.name: path.read_text(encoding="utf-8") for path in TASKS.iterdir()}
    assert there == task_files(), "run `python -m tools.write_harness_tasks`"
    assert sum(name.startswith("pivotlens_") for name in there) == 61


def test_the_verb_prints_the_folder_and_nothing_else():
    done = subprocess.run(
        [str(Path(sys.executable).with_name("pivotlens")), "tasks-path"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{TASKS}\n"
    assert done.stderr == ""


def test_the_verb_names_the_tasks(capsys):
    assert main(["tasks-path", "--json"]) == 0
    found = orjson.loads(capsys.readouterr().out)
    assert Path(found["folder"]) == TASKS
    assert found["groups"] == ["pivotlens", "pivotlens_sentences"]
    assert len(found["tasks"]) == 60
    assert {"pivotlens_en_fr", "pivotlens_sentences_fr_zh"} < set(found["tasks"])


def test_the_rooms_modules_import_neither_torch_nor_the_harness():
    code = (
        "import sys, pivotlens.harness.word_translation, pivotlens.harness.sentence_translation; "
        "print(*(name for name in ('torch', 'transformers', 'lm_eval', 'datasets') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
