"""Comparing what lm-evaluation-harness kept of every document, whoever ran it."""

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pivotlens.cli.main import main
from pivotlens.comparison.chrf import sentence_chrf
from pivotlens.comparison.comparing import HowCompared, compare_sides
from pivotlens.comparison.families import FAMILIES, family_of
from pivotlens.comparison.harness_files import find_samples, holds_samples
from pivotlens.comparison.harness_samples import sample_side
from pivotlens.errors import ConfigError, DataError

TIME = "2026-11-30T12-00-00.000001"
LATER = "2026-11-30T13-00-00.000001"


def record(number: int, metrics: dict, **more) -> dict:
    """Return a record as the harness 0.4.13 writes it."""
    content = more.pop("doc", {"text": f"document {number}"})
    prompt = more.pop("prompt", f"prompt {number}")
    return {
        "doc_id": number,
        "doc": content,
        "target": "0",
        "arguments": {"gen_args_0": {"arg_0": prompt, "arg_1": " yes"}},
        "resps": [[["-1.0", "False"]]],
        "filtered_resps": [["-1.0", "False"]],
        "filter": "none",
        "metrics": list(metrics),
        "doc_hash": hashlib.sha256(json.dumps(content, indent=2, ensure_ascii=False).encode()).hexdigest(),
        "prompt_hash": hashlib.sha256(prompt.encode()).hexdigest(),
        "target_hash": hashlib.sha256(b"0").hexdigest(),
        **metrics,
        **more,
    }


def write(folder: Path, task: str, records: list[dict], time: str = TIME) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"samples_{task}_{time}.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    return path


def results(folder: Path, time: str = TIME, **said) -> None:
    (folder / f"results_{time}.json").write_text(json.dumps(said))


def answers(seed: int, share: float, count: int = 120) -> list[float]:
    return [float(one) for one in np.random.default_rng(seed).uniform(size=count) < share]


def sides(base: Path, **of_tasks):
    """Write both sides of some tasks and return them."""
    for name in "ab":
        for task, pair in of_tasks.items():
            write(base / name, task, pair["ab".index(name)])
    return tuple(sample_side(str(base / name), name) for name in "ab")


def plain(values, **more):
    return [record(number, {"acc": value}, **more) for number, value in enumerate(values)]


def test_right_or_wrong_by_document(tmp_path):
    one, two = answers(0, 0.5), answers(1, 0.6)
    first, second = sides(tmp_path, arc=(plain(one), plain(reversed(list(reversed(two))))))
    (row,) = compare_sides(first, second).rows
    assert (row.task, row.metric, row.n, row.clusters, row.test) == ("arc", "acc", 120, 120, "mcnemar")
    assert row.difference == pytest.approx(np.mean(two) - np.mean(one))
    lost = sum(a > b for a, b in zip(one, two, strict=True))
    won = sum(a < b for a, b in zip(one, two, strict=True))
    assert row.p_value == row.p_mcnemar == row.p_holm == pytest.approx(stats.binomtest(lost, lost + won).pvalue)
    assert row.p_t == pytest.approx(stats.ttest_rel(two, one).pvalue)
    error = math.hypot(stats.sem(one), stats.sem(two))
    assert row.p_unpaired == pytest.approx(2 * stats.norm.sf(abs(row.difference) / error))
    assert row.ci_low < row.difference < row.ci_high


def test_the_order_of_lines_does_not_matter(tmp_path):
    one, two = plain(answers(0, 0.5)), plain(answers(1, 0.6))
    first, second = sides(tmp_path / "x", arc=(one, two))
    _, shuffled = sides(tmp_path / "y", arc=(one, [two[at] for at in np.random.default_rng(0).permutation(120)]))
    assert compare_sides(first, second).rows == compare_sides(first, shuffled).rows


def test_swapped_sides_mirror_each_other(tmp_path):
    """Whatever the order of lines and tasks on either side; draws of the bootstrap and of signs are the same."""
    drawn = np.random.default_rng(0)
    tasks = {
        f"paws_{code}": tuple(plain(drawn.normal(size=40) + side / 4) for side in (0, 1)) for code in ("de", "fr", "zh")
    }
    ordered = compare_sides(*sides(tmp_path / "x", **tasks)).rows
    shuffled = {task: ([one[at] for at in drawn.permutation(40)], two) for task, (one, two) in tasks.items()}
    first, second = sides(tmp_path / "y", **shuffled)
    assert compare_sides(first, second).rows == ordered
    swapped = {
        row.task: row for row in compare_sides(second, replace(first, tasks=dict(reversed(first.tasks.items())))).rows
    }
    backwards = compare_sides(replace(second, tasks=dict(reversed(second.tasks.items()))), first).rows
    assert {row.task: row for row in backwards} == swapped
    assert len(ordered) == 4
    for row in ordered:
        other = swapped[row.task]
        assert (other.first, other.second, other.difference) == (row.second, row.first, -row.difference)
        # Quantiles interpolate from the lower of two draws, so that the ends may differ in their last bit.
        assert (other.ci_low, other.ci_high) == pytest.approx((-row.ci_high, -row.ci_low), rel=1e-12)
        assert (other.p_value, other.p_holm, other.p_sign_flip) == (row.p_value, row.p_holm, row.p_sign_flip)
        assert (other.p_t, other.p_unpaired, other.detectable) == (row.p_t, row.p_unpaired, row.detectable)


def test_passages_are_clusters_over_languages(tmp_path):
    def of(language, values):
        return [
            record(
                number,
                {"acc": value, "acc_norm": value},
                doc={"link": f"passage {number // 3}", "question": f"{language} {number}"},
                prompt=f"{language} {number}",
            )
            for number, value in enumerate(values)
        ]

    tasks = {
        f"belebele_{code}": (of(code, answers(at, 0.5, 60)), of(code, answers(at + 9, 0.7, 60)))
        for at, code in enumerate(("fra_Latn", "zho_Hans"))
    }
    found = compare_sides(*sides(tmp_path, **tasks)).rows
    assert [(row.task, row.metric, row.tasks, row.n, row.clusters) for row in found] == [
        ("belebele_fra_Latn", "acc", 1, 60, 20), ("belebele_fra_Latn", "acc_norm", 1, 60, 20),
        ("belebele_zho_Hans", "acc", 1, 60, 20), ("belebele_zho_Hans", "acc_norm", 1, 60, 20),
        ("belebele", "acc", 2, 120, 20), ("belebele", "acc_norm", 2, 120, 20),
    ]  # fmt: skip
    assert {row.test for row in found} == {"sign_flip"}
    single = sorted(row.p_value for row in found if row.metric == "acc" and row.tasks == 1)
    assert sorted(row.p_holm for row in found if row.metric == "acc" and row.tasks == 1) == pytest.approx(
        [min(1, 2 * single[0]), max(min(1, 2 * single[0]), single[1])]
    )
    pooled = found[4]
    assert pooled.difference == pytest.approx((found[0].difference + found[2].difference) / 2)
    assert pooled.p_holm == pooled.p_value


def test_premises_of_xnli_are_clusters_over_languages(tmp_path):
    def of(word, values):
        return [
            record(number, {"acc": value}, doc={"premise": f"{word} {number // 3}", "hypothesis": f"{word} h {number}"})
            for number, value in enumerate(values)
        ]

    tasks = {f"xnli_{code}": (of(code, answers(1, 0.5, 30)), of(code, answers(2, 0.5, 30))) for code in ("en", "fr")}
    rows = compare_sides(*sides(tmp_path, **tasks)).rows
    assert [(row.task, row.clusters) for row in rows] == [("xnli_en", 10), ("xnli_fr", 10), ("xnli", 10)]


def test_a_mean_over_tasks_is_tested_by_cluster_even_where_none_is_shared(tmp_path):
    def of(start, values):
        return [record(number, {"acc": value}, doc={"id": start + number}) for number, value in enumerate(values)]

    tasks = {f"paws_{code}": (of(at, answers(at, 0.5, 30)), of(at, answers(at + 1, 0.5, 30)))
             for at, code in ((0, "de"), (100, "fr"))}  # fmt: skip
    rows = compare_sides(*sides(tmp_path, **tasks)).rows
    assert [(row.task, row.clusters, row.test) for row in rows] == [
        ("paws_de", 30, "mcnemar"), ("paws_fr", 30, "mcnemar"), ("paws_x", 60, "sign_flip")
    ]  # fmt: skip


def test_a_field_may_name_the_cluster(tmp_path):
    records = [record(at, {"acc": value}, doc={"id": at, "story": at // 4}) for at, value in enumerate(answers(1, 0.5))]
    write(tmp_path, "mine", records)
    assert len({one.cluster for one in sample_side(str(tmp_path), "x").tasks["mine"].documents}) == 120
    assert len({one.cluster for one in sample_side(str(tmp_path), "x", "story").tasks["mine"].documents}) == 30


def test_documents_that_only_one_side_has_are_named(tmp_path):
    one, two = plain(answers(0, 0.5)), plain(answers(1, 0.6))
    first, second = sides(tmp_path, arc=(one[:100], two[2:]), only=(one, one))
    (tmp_path / "a" / f"samples_only_{TIME}.jsonl").unlink()
    found = compare_sides(sample_side(str(tmp_path / "a"), "a"), second)
    assert found.rows[0].n == 98
    (left,) = found.left_out
    assert left.only_first == ("doc_id 0", "doc_id 1")
    assert left.only_second == tuple(f"doc_id {at}" for at in range(100, 120))
    assert "Left out, as only b has them: only." in found.notes
    assert "arc: 2 documents are only of a: doc_id 0, doc_id 1." in found.notes
    assert "arc: 20 documents are only of b: doc_id 100, doc_id 101, doc_id 102 and 17 more." in found.notes
    assert first.tasks["arc"].family == "arc"


def test_documents_alike_are_matched_in_order(tmp_path):
    records = [record(at, {"acc": value}, doc={"same": 1}, prompt="p") for at, value in enumerate(answers(0, 0.5, 4))]
    first, second = sides(tmp_path, arc=(records, records[::-1]))
    (row,) = compare_sides(first, second).rows
    assert (row.n, row.difference, row.ci_low, row.ci_high) == (4, 0, 0, 0)


def test_other_contents_are_matched_by_number_prompt_and_target(tmp_path):
    """A loader may add a field that differs, such as an index or the tokens of a tokenizer."""
    one, two = (
        [record(at, {"acc": value}, doc={"text": at, "side": side}) for at, value in enumerate(answers(side, 0.5))]
        for side in (0, 1)
    )
    found = compare_sides(*sides(tmp_path, arc=(one, two)))
    assert found.rows[0].n == 120
    assert found.notes == ("arc: documents were matched by number, prompt and target, as their contents differ.",)


def test_files_without_hashes_are_read_too(tmp_path):
    """Older versions of the harness wrote no hashes, no filter and no list of metrics."""
    new = plain(answers(0, 0.5))
    old = [
        {
            "doc_id": one["doc_id"],
            "doc": one["doc"],
            "target": "0",
            "arguments": [[one["arguments"]["gen_args_0"]["arg_0"], " yes"]],
            "resps": [],
            "filtered_resps": [],
            "acc": one["acc"],
        }
        for one in new
    ]
    found = compare_sides(*sides(tmp_path, arc=(old, new)))
    assert (found.rows[0].n, found.rows[0].difference, found.notes) == (120, 0, ())


def test_filters_and_metrics_without_a_number_a_document(tmp_path):
    def of(values):
        return [
            one
            for at, value in enumerate(values)
            for one in (
                record(at, {"exact_match": value, "bleu": ["x", "y"]}, filter="strict-match"),
                record(at, {"exact_match": 1.0, "bleu": ["x", "y"]}, filter="flexible"),
            )
        ]

    first, second = sides(tmp_path, gsm8k=(of(answers(0, 0.5)), of(answers(1, 0.5))))
    found = compare_sides(first, second)
    assert [row.metric for row in found.rows] == ["exact_match,strict-match", "exact_match,flexible"]
    assert (
        found.notes[0].startswith("a: bleu,flexible, bleu,strict-match cannot be compared") or "bleu" in found.notes[0]
    )
    only = compare_sides(first, second, HowCompared(metrics=("exact_match,flexible",)))
    assert [row.metric for row in only.rows] == ["exact_match,flexible"]


def test_translations_are_compared_by_the_chrf_of_their_sentences(tmp_path):
    sacrebleu = pytest.importorskip("sacrebleu")
    texts = [
        ("Le chat dort.", "Le chien dort."),
        ("Bonjour à tous", "Bonjour"),
        ("水を飲む", "水を飲みます"),
        ("a", ""),
    ]
    for wanted, given in texts:
        assert sentence_chrf(wanted, given) == pytest.approx(sacrebleu.sentence_chrf(given, [wanted]).score, abs=1e-9)
    one, two = (
        [
            record(at, {"chrf": [wanted, given[side:]]}, doc={"id": at, "URL": at // 2})
            for at, (wanted, given) in enumerate(texts)
        ]
        for side in (0, 1)
    )
    (row,) = compare_sides(*sides(tmp_path, **{"spanish_bench_flores_en-es": (one, two)})).rows
    assert (row.metric, row.n, row.clusters) == ("chrf_sentence", 4, 2)
    assert row.first == pytest.approx(np.mean([sentence_chrf(*pair) for pair in texts]))


# -- which files


def test_the_newest_or_the_named_of_several_times(tmp_path):
    write(tmp_path, "arc", plain(answers(0, 0.5)))
    newer = write(tmp_path, "arc", plain(answers(1, 0.5)), LATER)
    older_only = write(tmp_path, "boolq", plain(answers(2, 0.5)))
    files, notes = find_samples(str(tmp_path))
    assert [file.path for file in files] == [newer, older_only]
    assert notes == [f"{tmp_path}: of arc the newest of several samples were taken."]
    files, notes = find_samples(f"{tmp_path}@2026-11-30T13")
    assert ([file.path for file in files], notes) == ([newer], [])
    assert [file.task for file in find_samples(str(newer))[0]] == ["arc"]
    assert holds_samples(str(newer))
    assert not holds_samples(str(tmp_path / "nothing"))
    with pytest.raises(ConfigError, match="no samples were written at '2027'"):
        find_samples(f"{tmp_path}@2027")
    write(tmp_path / "one", "arc", plain([1.0]))
    with pytest.raises(ConfigError, match="2 folders"):
        find_samples(str(tmp_path))


# -- what is refused


def refused(tmp_path, match, one, two, error=ConfigError, how=None):
    first, second = sides(tmp_path, **{"arc": (one, two)} if isinstance(one, list) else {"arc": one, "boolq": two})
    with pytest.raises(error, match=match):
        compare_sides(first, second, how)


def test_other_tasks_documents_metrics_and_prompts_are_refused(tmp_path):
    good = plain(answers(0, 0.5))
    write(tmp_path / "x" / "a", "arc", good)
    write(tmp_path / "x" / "b", "boolq", good)
    first, second = (sample_side(str(tmp_path / "x" / name), name) for name in "ab")
    with pytest.raises(ConfigError, match=r"no task in common: a \(.*\) has arc; b \(.*\) has boolq"):
        compare_sides(first, second)
    with pytest.raises(ConfigError, match="task 'arc' is not on both sides"):
        compare_sides(first, second, HowCompared(tasks=("arc",)))
    other = [record(at, {"acc": 1.0}, doc={"other": at}, prompt=f"q {at}") for at in range(120)]
    refused(tmp_path / "1", r"a \(.*\) and b \(.*\) have no document of arc in common: 120 and 120", good, other)
    metric = [record(at, {"f1": 1.0}) for at in range(120)]
    refused(tmp_path / "2", "no metric of arc in common: a has acc; b has f1", good, metric)
    asked = [record(at, {"acc": 1.0}, prompt=f"example\nprompt {at}") for at in range(120)]
    refused(tmp_path / "3", "gave 120 of 120 documents of arc other prompts: doc_id 0", good, asked)
    first, second = sides(tmp_path / "4", arc=(good, asked))
    allowed = compare_sides(first, second, HowCompared(any_prompt=True))
    assert allowed.notes == ("arc: 120 of 120 documents had other prompts.",)
    refused(tmp_path / "5", "none of|no metric of those asked for", good, good, how=HowCompared(metrics=("f1",)))


def test_other_conditions_are_refused_by_name(tmp_path):
    good = plain(answers(0, 0.5))
    sides(tmp_path, arc=(good, good))
    for name, shots in (("a", 0), ("b", 5)):
        results(tmp_path / name, **{"n-shot": {"arc": shots}, "versions": {"arc": 1.0}})
    first, second = (sample_side(str(tmp_path / name), name) for name in "ab")
    with pytest.raises(ConfigError, match=r"ran arc under other conditions \(the number of shots: 0 and 5\)"):
        compare_sides(first, second)
    results(tmp_path / "b", versions={"arc": 2.0})
    with pytest.raises(ConfigError, match=r"the task's version: 1.0 and 2.0"):
        compare_sides(first, sample_side(str(tmp_path / "b"), "b"))
    (tmp_path / "b" / f"results_{TIME}.json").write_text("{")
    with pytest.raises(DataError, match="is no results file"):
        sample_side(str(tmp_path / "b"), "b")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"doc_id": 1, "acc": 1', "line 3 is no JSON, and is cut off"),
        ("[1]\n", "line 3 is no record"),
        ('{"acc": 1}\n', "doc_id = None is no number"),
        ('{"doc_id": 0, "doc": {"text": "document 0"}, "filter": "none", "acc": 1}\n', "document 0 stands there twice"),
        ('{"doc_id": 7, "doc": {}, "acc": NaN}\n', "document 7: acc = nan, which is no finite number"),
        ("\udcff\n", "line 3 is no JSON"),
        ('{"doc_id": 7, "arguments": 5, "acc": 1}\n', "line 3: arguments = 5 is no list"),
        (f'{{"doc_id": 7, "acc": 1{"0" * 400}}}\n', r"line 3, document 7: acc = 10+\.\.\.0+, which is too large"),
        ('{"doc_id": 7, "acc": -1e308}\n', r"line 3, document 7: acc = -1e\+308, which is too large"),
        ('{"doc_id": 7, "metrics": [["acc"]], "acc": 1}\n', r"line 3: metrics = \['acc'\] is no name"),
        ('{"doc_id": 7, "metrics": ["\\ud800"], "acc": 1}\n', r"line 3: metrics = '\\ud800' is no name"),
        (
            f'{{"doc_id": 7, "doc": {"[" * 2000}{"]" * 2000}, "acc": 1}}\n',
            "line 3( is no JSON: |: ).*(recursion|deeply)",
        ),
    ],
)
def test_damaged_samples_are_refused_with_their_line(tmp_path, line, message):
    path = write(tmp_path, "arc", plain([1.0, 0.0]))
    with path.open("ab") as file:
        file.write(line.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=message):
        sample_side(str(tmp_path), "x")


@pytest.mark.parametrize(
    ("doc", "message"),
    [
        ({"concept_id": "water", "tokens": ["x"]}, r"line 1: doc.tokens = \['x'\] are no numbers"),
        ({"concept_id": "\ud800"}, r"line 1: doc.concept_id = '\\ud800' is no text"),
    ],
)
def test_damaged_documents_of_our_tasks_are_refused_with_their_line(tmp_path, doc, message):
    write(tmp_path, "pivotlens_en_fr", [{"doc_id": 0, "doc": doc, "score": 1.0}])
    with pytest.raises(DataError, match=message):
        sample_side(str(tmp_path), "x")


def test_half_a_character_is_hashed_where_no_hash_was_written(tmp_path):
    both = [[{"doc_id": at, "doc": {"text": f"\ud800 {at}"}, "target": "\udc00", "acc": float(side)} for at in range(3)]
            for side in (0, 1)]  # fmt: skip
    (row,) = compare_sides(*sides(tmp_path, arc=both)).rows
    assert (row.n, row.difference) == (3, 1)


def test_empty_and_missing_samples(tmp_path, capsys):
    write(tmp_path / "a", "arc", [])
    with pytest.raises(DataError, match="holds no samples"):
        sample_side(str(tmp_path / "a"), "a")
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "nothing")]) == 4
    write(tmp_path / "a", "arc", plain([1.0, 0.0]))
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "nothing")]) == 2
    assert "holds no samples_*.jsonl" in capsys.readouterr().err


def test_a_terminal_of_80_columns_breaks_no_name(tmp_path, capsys):
    task, metric = f"pivotlens_{'long_' * 20}task", f"accuracy_{'of_words_' * 4}unlike"
    for name, share in (("a", 0.4), ("b", 0.6)):
        records = [record(at, {metric: one}) for at, one in enumerate(answers(ord(name), share, 1200))]
        write(tmp_path / name, task, records)
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    title, _, head, name, figures, *_ = capsys.readouterr().out.splitlines()
    assert title == "second: b; first: a"
    assert head.split() == ["n", "first", "second", "change", "95", "%", "interval", "p", "Holm", "unpaired", "MDE"]
    assert name == f"{task}, {metric}"
    assert len(head) == len(figures) <= 80
    assert figures.split()[0] == "1,200"


# -- real outputs


REAL = Path(__file__).parents[1] / "harness_outputs"


def test_two_real_outputs_with_both_p_beside_each_other(capsys, tmp_path):
    """What `lm_eval run --log_samples` wrote of SmolLM2-135M, and of the same weights rounded to 4 bits."""
    arguments = ["compare", str(REAL / "smollm2-135m"), str(REAL / "smollm2-135m-4bit")]
    files = ["--csv", str(tmp_path / "x.csv"), "--markdown", str(tmp_path / "x.md")]
    assert main([*arguments, *files, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    rows = {(row["task"], row["metric"]): row for row in found["rows"]}
    pooled = rows["pivotlens", "margin"]
    assert (pooled["tasks"], pooled["n"], pooled["clusters"]) == (3, 300, 100)
    for row in found["rows"]:
        assert row["p_value"] is not None
        assert row["p_unpaired"] is not None
    # The same documents: what they have in common is most of what varies.
    for task in ("pivotlens_en_fr", "pivotlens_en_de", "pivotlens_fr_de"):
        row = rows[task, "margin"]
        values = []
        for side in ("smollm2-135m", "smollm2-135m-4bit"):
            (path,) = (REAL / side).glob(f"samples_{task}_*.jsonl")
            records = [json.loads(line) for line in path.read_text().splitlines()]
            values.append({one["doc"]["concept_id"]: one["margin"] for one in records})
        one, two = ([side[name] for name in values[0]] for side in values)
        assert row["p_t"] == pytest.approx(stats.ttest_rel(two, one).pvalue)
        assert row["difference"] == pytest.approx(np.mean(two) - np.mean(one))
        assert row["p_value"] < row["p_unpaired"]
    assert (tmp_path / "x.csv").read_text().count("\n") == len(found["rows"]) + 1
    assert (tmp_path / "x.md").read_text().count("\n") == len(found["rows"]) + 2
    # The page that shows how shows this.
    assert main([*arguments, "--metrics", "accuracy_10way", "margin", *files]) == 0
    page = (Path(__file__).parents[2] / "docs" / "compare.md").read_text(encoding="utf-8")
    assert (tmp_path / "x.md").read_text(encoding="utf-8") in page
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "unpaired" in shown
    assert "mean of" in shown


# -- families


def test_families_are_the_harnesss_own_tasks():
    lm_eval = pytest.importorskip("lm_eval")
    from lm_eval.tasks import TaskManager

    tasks = Path(lm_eval.__file__).parent / "tasks"
    for family in FAMILIES.values():
        own = Path(__file__).parents[2] / "src" / "pivotlens" / "harness" / "tasks"
        folders = [str(tasks / folder) for folder in family.folders] or [str(own)]
        known = TaskManager(include_path=folders, include_defaults=False).all_subtasks
        assert set(family.tasks) - set(known) == set(), family.name
        assert all(family_of(task) is family for task in family.tasks)


def test_languages_choose_tasks():
    assert FAMILIES["xnli"].tasks_in(("fr", "en")) == ["xnli_en", "xnli_fr"]
    assert FAMILIES["belebele"].tasks_in(("fr", "zh", "acm_Arab")) == [
        "belebele_acm_Arab", "belebele_fra_Latn", "belebele_zho_Hans"
    ]  # fmt: skip
    assert FAMILIES["flores"].tasks_in(("en", "es")) == ["spanish_bench_flores_es-en", "spanish_bench_flores_en-es"]
    assert len(FAMILIES["flores"].tasks) == 60
    assert FAMILIES["pivotlens"].tasks_in(("en", "zh")) == ["pivotlens_en_zh", "pivotlens_zh_en"]
    assert len(FAMILIES["global_mmlu"].tasks_in(("sw",))) == 6
