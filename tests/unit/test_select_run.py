from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard
from corpus_fixture import (
    PAIR_PIVOTS,
    PIVOTS,
    WORDS,
    token_variants,
    write_bench,
    write_corpus,
    write_mine,
    write_tokenizer,
)

from pivotlens.artifacts import Selection, sha256_of_file
from pivotlens.corpus import PartStore, Shard, Task, executor, units
from pivotlens.count.config import CountConfig
from pivotlens.errors import ConfigError, DataError, PrerequisiteError
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.select import SelectConfig, select_documents
from pivotlens.select.stage import STAGE
from pivotlens.statistics.proportion import wilson_lower
from pivotlens.statistics.rate import poisson_lower
from pivotlens.text import clitics, matching
from stage_by_hand import writing


def _write_count(run: Path) -> None:
    named = [(language, accepted[0]) for of in WORDS.values() for language, accepted in of.items()]
    columns = {"word_language": [one for one, _ in named], "word": [word for _, word in named]}
    columns |= {"document_language": columns["word_language"], "df": [5] * len(named), "n_sampled": [5] * len(named)}
    with writing(run, CountConfig(), inputs={}) as stage:
        stage.write_table("words", columns)
        stage.finish()


def _write_upstream(run: Path, model: Path, pivots: tuple[str, ...] = PIVOTS) -> None:
    write_bench(run)
    _write_count(run)
    write_mine(run, str(model), pivots)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("select")
    corpus = write_corpus(folder / "corpus", files=3, documents=30)
    first = (corpus / "part-0.jsonl").read_bytes().splitlines(keepends=True)
    (corpus / "part-2.jsonl").write_bytes(b"".join(first[:5]).upper().replace(b"TEXT", b"text").replace(
        b"LANGUAGE", b"language").replace(b"\\N", b"\\n"))  # fmt: skip
    _write_upstream(folder / "run", write_tokenizer(folder / "model"))
    return folder


def _config(here: Path, **settings: object) -> SelectConfig:
    values = {"corpus": str(here / "corpus"), "tokenizer": str(here / "model"), "unit_characters": 100}
    values |= {"identify": "label", "boilerplate_share": 0.0, "arms": ("top", "random"), "max_repetition": 1.0}
    return SelectConfig(**{**values, "min_tokens": 5, "budget_tokens": 150, "pivots": 2, **settings})


def _select(here: Path, run: Path, **settings: object) -> Selection:
    if not run.exists():
        shutil.copytree(here / "run", run)
    return select_documents(_config(here, **settings), run)


def _documents(run: Path, arm: str) -> list[dict]:
    return [document for path in Selection.load(run).arm(arm).paths for document in _lines(path)]


def _lines(path: Path) -> list[dict]:
    raw = zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
    return [orjson.loads(line) for line in raw.splitlines()]


def _content(run: Path) -> dict[str, bytes]:
    paths = [path for path in (run / "select").rglob("*") if path.is_file() and path.name != "run.json"]
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in paths}


def _bridges(text: str, language: str, ids: list[int], tokenizer: Any) -> int:
    """Count pairs by sets: the words of the text cut at white space and punctuation, and the tokens in it."""
    counted = {accepted[0]: set(accepted) for of in WORDS.values() for code, accepted in of.items() if code == language}
    found = {word for word, forms in counted.items() if any(_stands(form, text) for form in forms)}
    pairs = {(word, pivot) for (code, word), of in PAIR_PIVOTS.items() if code == language for pivot in of}
    there = {pivot for _, pivot in pairs if set(token_variants(tokenizer, pivot)) & set(ids)}
    return sum(word in found and pivot in there for word, pivot in pairs)


def _stands(form: str, text: str) -> bool:
    return bool(matching.WordMatcher({"fr": [form]}).match(text).size)


def test_scores_documents_and_summary_agree(here: Path, tmp_path: Path) -> None:
    selection = _select(here, tmp_path / "run")
    scores = selection.rows("scores")
    tokenizer = load_tokenizer(str(here / "model"))
    pivots = {tokenizer.tokenizer.token_to_id(pivot) for pivot in (*PIVOTS[:2], "WATER")}
    assert scores == sorted(scores, key=lambda row: (row["file"], row["row"], row["unit"]))
    for arm in ("top", "random"):
        documents = _documents(tmp_path / "run", arm)
        assert list(selection.arm(arm)) == documents
        assert len(selection.arm(arm)) == len(documents) > 0
        chosen = [row for row in scores if arm in row["selected"]]
        assert [row["id"] for row in documents] == [f"{row['file']}:{row['row']}:{row['unit']}" for row in chosen]
        paths = selection.arm(arm).paths
        assert [path.name for path in paths] == [f"documents-{number:05d}.jsonl.zst" for number in range(len(paths))]
        outputs = [selection.manifest.outputs[f"{arm}/{path.name}"] for path in paths]
        assert [output.rows for output in outputs] == [len(_lines(path)) for path in paths]
        assert [output.sha256 for output in outputs] == [sha256_of_file(path) for path in paths]
        assert sum(output.rows for output in outputs) == len(chosen) > 5
        for document, row in zip(documents, chosen, strict=True):
            ids = tokenizer.encode_batch([document["text"]])[0].tolist()
            assert (document["n_tokens"], document["n_pivots"]) == (len(ids), sum(token in pivots for token in ids))
            own = (
                "selected",
                "duplicate",
                "repetition",
                "similarity",
                "importance",
                "language_share",
                "other_language",
            )
            assert {**document, **row} == document | {key: row[key] for key in (*own, "n_bridges_shuffled")}
            assert row["share"] == wilson_lower(row["n_pivots"], row["n_tokens"])
            assert row["n_bridges"] == _bridges(document["text"], row["language"], ids, tokenizer)
            assert row["bridge"] == 1000 * poisson_lower(row["n_bridges"], row["n_tokens"])
            assert row["n_tokens"] >= 5
            assert not row["duplicate"]
        for row in selection.rows("summary"):
            of_language = [unit for unit in chosen if unit["language"] == row["language"]]
            if row["arm"] == arm:
                tokens = sum(unit["n_tokens"] for unit in of_language)
                assert (row["units"], row["tokens"]) == (len(of_language), tokens + len(of_language))
                assert row["tokens"] <= row["budget"] == 150
                assert row["pivot_share"] == sum(unit["n_pivots"] for unit in of_language) / tokens
                bridges = sum(unit["n_bridges"] for unit in of_language)
                assert row["bridges"] == pytest.approx(1000 * bridges / tokens)
    duplicates = [row for row in scores if row["duplicate"]]
    assert {row["file"] for row in duplicates if row["n_tokens"] > 5} == {"part-2.jsonl"}
    assert selection.manifest.details["duplicates"] == len(duplicates) > 3
    top, random = (
        {row["language"]: row["bridges"] for row in selection.rows("summary") if row["arm"] == arm}
        for arm in ("top", "random")
    )
    assert all(top[language] > random[language] for language in top)
    expected = Counter()
    for row in scores:
        expected[row["language"], "tokens"] += row["n_tokens"]
        expected[row["language"], "pivots"] += row["n_pivots"]
    for row in scores:  # all text of a language is in it here: one composition
        share = expected[row["language"], "pivots"] / expected[row["language"], "tokens"]
        assert row["excess"] == pytest.approx(row["share"] - share)
    composition = [row for row in selection.rows("composition") if row["facet"] == "document_type"]
    assert {(row["arm"], row["value"], row["share"]) for row in composition} == {
        (arm, "monolingual", 1.0) for arm in ("corpus", "top", "random")
    }


def test_card_says_what_it_is(here: Path, tmp_path: Path) -> None:
    selection = _select(here, tmp_path / "run", arms=("top", "matched", "random"), budget_tokens=60)
    assert (selection.manifest.details["pivots"], selection.manifest.details["pivot_tokens"]) == (2, 3)
    card = (tmp_path / "run/select/matched/README.md").read_text()
    assert "the primary control" in card
    assert "keep the licences of the corpus" in card
    assert "the best 2 of the stage `mine`" in card
    for row in selection.rows("summary"):
        if row["arm"] == "matched":
            assert f"| {row['language']} | {row['units']:,} | {row['tokens']:,} | 60 |" in card
            pivots = [
                (one["n_pivots"], one["n_tokens"])
                for one in selection.rows("scores")
                if one["language"] == row["language"] and one["n_tokens"] >= 5 and not one["duplicate"]
            ]
            of_corpus = sum(n for n, _ in pivots) / sum(n for _, n in pivots)
            assert f"| {row['pivot_share']:.1%} | {of_corpus:.1%} |" in card
    for row in selection.rows("composition"):
        if (row["arm"], row["facet"]) == ("matched", "length_decile"):
            assert re.search(
                rf"\| {row['language']} \| {row['value']}: \d+( to \d+)? tokens \| {row['share']:.1%} \|", card
            )
    warnings = "\n".join(selection.manifest.warnings)
    assert "arm top differs from the corpus in length (" in warnings
    assert "compare it with arm matched" in card
    for row in selection.rows("losses"):
        assert f"| {row['language']} | {row['reason']} | {row['units']:,} | {row['tokens']:,} |" in card
    top = {row["language"]: row["tokens"] for row in selection.rows("summary") if row["arm"] == "top"}
    matched: Counter[str] = Counter()
    for row in selection.rows("matching"):
        matched[row["language"]] += row["taken"]
    assert matched == top
    assert not any({"top", "matched"} <= set(row["selected"]) for row in selection.rows("scores"))


def test_a_card_begins_with_where_its_arm_is_random(here: Path, tmp_path: Path) -> None:
    rows = [orjson.dumps({"text": f"x{number} a b c d e f g", "language": "fr"}) for number in range(9)]
    (tmp_path / "none.jsonl").write_bytes(b"\n".join(rows) + b"\n")
    selection = _select(here, tmp_path / "run", corpus=str(tmp_path / "none.jsonl"), budget_tokens=40)
    top, random = ((tmp_path / f"run/select/{arm}/README.md").read_text().split("\n\n") for arm in ("top", "random"))
    assert top[1] == "**No unit of this arm holds a bridge in fr: it is random there.**"
    assert random[1] == "Units drawn at random."
    assert "arm top holds no unit with a bridge in fr: it is random there" in selection.manifest.warnings


def test_text_of_a_corpus_means_nothing_in_a_card(here: Path, tmp_path: Path) -> None:
    text = "water eau | <script> # x [a](b)\n# not a heading \x1b[31m eau livre book water 水 山"
    corpus = tmp_path / "h`<script>x\n# H1"
    corpus.mkdir()
    rows = [{"text": f"{text} {number}", "language": "fr", "source": "<b>|*x*"} for number in range(9)]
    (corpus / "a|b.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    selection = _select(here, tmp_path / "run", corpus=str(corpus), budget_tokens=40)
    card = (tmp_path / "run/select/top/README.md").read_text()
    assert selection.rows("examples")[0]["text"].startswith(text)
    shown = [line for line in card.splitlines() if "not a heading" in line]
    assert shown
    assert all(line.startswith("    # not a heading") for line in shown)
    assert "\x1b" not in card
    assert f"- Corpus: `{tmp_path}/h'<script>x # H1`.\n" in card
    assert "<script>" not in card.replace("    water eau | <script>", "").replace("h'<script>x # H1`", "")
    assert "\n# H1" not in card
    assert "<b>" not in card


_ARMS = ("top", "matched", "random", "share", "excess", "sample", "pseudo_pivots", "word_density", "dsir")


def test_interrupted_workers_and_reuse(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _select(here, tmp_path / "fresh")
    work_on, made, limit = executor.work_on, [], [0]

    def failing(shard: Shard, task: Task, store: PartStore) -> None:
        if len(made) == limit[0]:
            raise KeyboardInterrupt
        made.append((store.folder.name, shard.file.name))
        work_on(shard, task, store)

    monkeypatch.setattr(executor, "work_on", failing)
    for fail_after in (1, 4):
        limit[0] = fail_after
        with pytest.raises(KeyboardInterrupt):
            _select(here, tmp_path / "broken")
    limit[0] = 100
    _select(here, tmp_path / "broken")
    assert len(made) == len(set(made)) == 7  # nothing of part-2 is chosen: it repeats part-0
    assert _content(tmp_path / "broken") == _content(tmp_path / "fresh")
    assert not (tmp_path / "broken/.work").exists()
    before = (tmp_path / "fresh/select/run.json").read_bytes()
    _select(here, tmp_path / "fresh", workers=2)
    assert (tmp_path / "fresh/select/run.json").read_bytes() == before


def test_other_budgets_arms_and_scores_read_no_text(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {"boilerplate_share": 0.2}
    _select(here, tmp_path / "run", **kept)
    read: list[str] = []
    work_on = executor.work_on

    def watching(shard: Shard, task: Task, store: PartStore) -> None:
        read.append(type(task).__name__)
        work_on(shard, task, store)

    monkeypatch.setattr(executor, "work_on", watching)
    for more in (
        {"budget_tokens": 80},
        {"arms": _ARMS, "budget_tokens": 40},
        {"score": "share", "arms": ("top", "bridge"), "min_tokens": 9},
        {"arms": ("random",), "budget_share": 0.3, "budget_tokens": None},
        {"arms": ("random",), "budget_units": 2, "budget_tokens": None},
    ):
        read.clear()
        _select(here, tmp_path / "run", **kept, **more)
        dsir = {"CountPass", "ImportancePass"} if "dsir" in more.get("arms", ()) else set()
        assert set(read) == {"WritePass", "JoinPass"} | dsir
        _select(here, tmp_path / f"anew-{len(more)}-{more.get('budget_share')}-{more.get('score')}", **kept, **more)
        anew = _content(tmp_path / f"anew-{len(more)}-{more.get('budget_share')}-{more.get('score')}")
        assert _content(tmp_path / "run") == anew
        shutil.rmtree(tmp_path / f"anew-{len(more)}-{more.get('budget_share')}-{more.get('score')}")


def test_a_budget_beyond_the_corpus_is_refused_and_nothing_is_lost(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=r"top in en: [0-9,]+ of 1,000,000 tokens") as caught:
        _select(here, tmp_path / "run", budget_tokens=10**6)
    assert "take_all" in caught.value.hint

    def unread(*_: object) -> None:
        raise AssertionError("the text is read again")

    with monkeypatch.context() as patched:
        patched.setattr(units, "read_documents", unread)
        with pytest.raises(ConfigError, match="of 999,999 tokens"):
            _select(here, tmp_path / "run", budget_tokens=999_999)
    selection = _select(here, tmp_path / "run", budget_tokens=10**6, shortage="take_all")
    for row in selection.rows("summary"):
        assert row["tokens"] == row["available"]
    text = "\n".join(selection.manifest.warnings)
    assert "arm random takes all there is in zh" in text
    assert "takes everything there is in en, fr, zh" in text


def test_an_arm_with_nothing_in_a_language_is_named_and_no_budget_is_low_enough(here: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^arm parallel has nothing to take in en, fr") as caught:
        _select(here, tmp_path / "run", arms=("top", "parallel"), languages=("en", "fr"), budget_tokens=40)
    assert "Leave the arm out" in caught.value.hint
    assert "ower the budget" not in caught.value.hint


def test_languages_have_their_own_budgets(here: Path, tmp_path: Path) -> None:
    selection = _select(here, tmp_path / "run", languages=("fr=2", "zh_CN=1"), budget_tokens=150)
    assert [(row["language"], row["budget"]) for row in selection.rows("summary")] == 2 * [("fr", 100), ("zh", 50)]
    for languages, problem in (
        (("de",), "names 'de', and no unit"),
        (("fr", "zh=1"), "'fr' has none"),
        (("fr", "fr"), "named twice"),
        (("fr=x",), "'x' is no weight"),
    ):
        with pytest.raises(ConfigError, match=problem):
            _select(here, tmp_path / "run", languages=languages)
    for wrong in ({"budget_units": 1, "budget_share": 0.5}, {"arms": ("matched",)}):
        with pytest.raises(ValueError, match=r"budget_units and budget_share are given|not among the arms"):
            SelectConfig(**wrong)


def test_workers_and_cuts_do_not_matter(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _select(here, tmp_path / "one", arms=_ARMS, budget_tokens=60)
    monkeypatch.setattr("pivotlens.corpus.cutting.SHARD_BYTES", 2000)
    _select(here, tmp_path / "cut", arms=_ARMS, budget_tokens=60)
    for name in ("summary", "composition", "overlap", "matching", "losses", "arms", "examples"):
        one, cut = (Selection.load(tmp_path / run).rows(name) for run in ("one", "cut"))
        assert one == cut
    for arm in _ARMS:
        assert _documents(tmp_path / "one", arm) == _documents(tmp_path / "cut", arm)


def test_budget_below_the_first_unit_leaves_a_stated_empty_arm(here: Path, tmp_path: Path) -> None:
    selection = _select(here, tmp_path / "run", budget_tokens=1, arms=("top",))
    assert _documents(tmp_path / "run", "top") == []
    assert "arm top holds nothing in fr: none could be taken, or the first exceeds 1" in selection.manifest.warnings
    assert not (tmp_path / "run/select/random").exists()
    assert "| fr | 0 | 0 | 1 |" in (tmp_path / "run/select/top/README.md").read_text()


def test_warnings(here: Path, tmp_path: Path) -> None:
    selection = _select(here, tmp_path / "run", budget_tokens=40, limit_documents=8, pivots=50)
    text = "\n".join(selection.manifest.warnings)
    assert "only the first 8 documents of each file" in text
    assert "3 pivots were mined, fewer than the 50 asked for" in text
    with pytest.raises(ConfigError, match="no unit that could be taken is in a language of the benchmark"):
        _select(here, tmp_path / "run", min_tokens=10**6)


def test_a_corpus_of_lines_that_recur_says_that_they_were_left_out(here: Path, tmp_path: Path) -> None:
    row = orjson.dumps({"text": "water eau livre book\nthe same in all of them", "language": "fr"}) + b"\n"
    (tmp_path / "same.jsonl").write_bytes(12 * row)
    with pytest.raises(DataError, match=r"24 lines of text were left out, .* more than 20%") as caught:
        _select(here, tmp_path / "run", corpus=str(tmp_path / "same.jsonl"), boilerplate_share=0.2)
    assert "--boilerplate-share 0" in caught.value.hint


def test_files_left_out_are_warned_of(here: Path, tmp_path: Path) -> None:
    shutil.copytree(here / "corpus", tmp_path / "corpus")
    (tmp_path / "corpus/more.csv").write_text("text\n")
    selection = _select(here, tmp_path / "run", corpus=str(tmp_path / "corpus"))
    assert "left out of the corpus, of no kind that is read: more.csv" in selection.manifest.warnings


def test_words_hidden_by_particles_are_named_where_there_are_no_pivots(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clitics, "_BESIDE_PARTICLES", frozenset({"fr"}))
    _write_upstream(tmp_path, here / "model", ())
    with pytest.raises(PrerequisiteError, match="found no pivots") as caught:
        _select(here, tmp_path)
    assert "--min-df" not in caught.value.hint
    assert "Count a corpus with some. In fr a word is not found beside a particle" in caught.value.hint


def test_what_must_be_there_first(here: Path, tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="'bench'"):
        select_documents(_config(here), tmp_path)
    with pytest.raises(ConfigError, match="no tokenizer"):
        select_documents(_config(here, tokenizer=""), here / "run")
    _write_upstream(tmp_path / "none", here / "model", ())
    with pytest.raises(PrerequisiteError, match="found no pivots") as caught:
        select_documents(_config(here), tmp_path / "none")
    assert "Count a corpus with some, or lower --min-df of mine" in caught.value.hint
    without = select_documents(_config(here, arms=("random",)), tmp_path / "none")
    assert {(row["arm"], row["units"] > 0) for row in without.rows("summary")} == {("random", True)}
    shutil.copytree(here / "model", tmp_path / "other")
    path = tmp_path / "other/tokenizer.json"
    path.write_text(path.read_text().replace('"water"', '"w4ter"'))
    with pytest.raises(ConfigError, match="'water' in the mined pivots") as wrong:
        select_documents(_config(here, tokenizer=str(tmp_path / "other")), here / "run")
    assert "pivotlens count" in wrong.value.hint
    made = dict.fromkeys(("bench", "count", "mine"), "f" * 64)
    planned = STAGE.plan(_config(here), tmp_path / "nowhere", planned=made)
    assert planned.inputs.keys() == {"bench", "count", "mine", "corpus", "tokenizer"}
