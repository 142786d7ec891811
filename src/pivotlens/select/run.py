"""Select documents: reads ``bench``, ``count``, ``mine`` and the corpus, writes ``select``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pivotlens.arrays import Booleans
from pivotlens.artifacts import Benchmark, schema_of, write_bytes
from pivotlens.corpus import Listing, LocalExecutor, PartStore
from pivotlens.corpus.writing import ArmFiles, how_to_train, joined_files
from pivotlens.errors import ConfigError
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.select.arms import BY_SCORE, Order, Spread
from pivotlens.select.budgets import Available, Budgets, budgets_of
from pivotlens.select.card import CardTables, data_card
from pivotlens.select.choosing import Chooser
from pivotlens.select.config import ArmName, SelectConfig
from pivotlens.select.facts import CORPUS, Facts, matching_rows
from pivotlens.select.files import file_warnings, writing_plan
from pivotlens.select.matching import Lengths, MatchedOrder, Matching, budgets_like
from pivotlens.select.scored_corpus import ScoredCorpus
from pivotlens.select.scores import obtain_scores, weighed
from pivotlens.select.units import ScoredUnits
from pivotlens.select.writing import WritePass, ended_within, keep_chosen, merged_examples
from pivotlens.stage import Work
from pivotlens.text import ENGLISH

_MOSTLY = 0.5
_POINTS = 0.02


def run(work: Work[SelectConfig]) -> dict[str, Any]:
    """Score every unit, or take the scores that are there; choose the arms and write their documents."""
    config, workspace, writer = work.config, work.workspace, work.writer
    executor = LocalExecutor(config.workers)
    found = obtain_scores(work, executor)
    corpus = weighed(work, found, executor)
    arms = _Arms.chosen(corpus, config, Benchmark.load(work.run).languages)
    arms.refuse_shortage()

    names = tuple(arms.choosers)
    facts = Facts(
        names,
        {name: chooser.budgets for name, chooser in arms.choosers.items()},
        corpus.codes,
        corpus.sources,
        arms.lengths,
        config.score != "bridge",
    )
    chosen, fragments, joined = (PartStore(workspace.parts_folder(key)) for key in ("chosen", "fragments", "joined"))
    files = ArmFiles(names, config.file_tokens, fragments)
    holding = []
    for shard, units in corpus:
        taken = arms.takes(units)
        facts.add(units, taken)
        if taken.any():
            keep_chosen(chosen.path(shard), units, files.place(shard, units.cost, taken), corpus.codes)
            holding.append(shard)
    tokenizer = load_tokenizer(config.tokenizer, work.near)
    writing = writing_plan(config, tokenizer)
    work_of_shard = WritePass(found.plan, writing, str(tokenizer.folder), names, chosen)
    executor.run(holding, work_of_shard, fragments, "Writing documents")
    for name, path, output in joined_files(files.files(), writing, executor, joined):
        writer.adopt(name, path, output)
    parts = [fragments.path(shard) for shard in holding]

    writer.write_table_blocks(
        "scores", (_with_arms(table, names, arms.takes(units)) for table, units in corpus.tables())
    )
    tables = {
        "summary": facts.summary_rows(),
        "arms": facts.arm_rows(),
        "composition": facts.composition_rows(),
        "overlap": facts.overlap_rows(),
        "losses": facts.loss_rows(),
        "boilerplate": found.boilerplate,
        "matching": matching_rows(arms.matched, corpus.codes),
        "examples": merged_examples(parts),
    }
    for name, rows in tables.items():
        writer.write_table(name, pa.Table.from_pylist(rows, schema=schema_of("select", name)))
    warnings = [
        *found.warnings,
        *_warnings(config, facts, arms, tables["summary"]),
        *file_warnings(config, writing, files, sum(ended_within(part) for part in parts)),
    ]
    for warning in (*work.plan.source("corpus", Listing).warnings, *warnings):
        writer.warn(warning)
    card = CardTables(tables, config.meaning(), found.pivots, warnings)
    for name in names:
        use = how_to_train(writing, files.tokens(name), config.sequence_length, f"select/{name}")
        write_bytes(writer.staged(f"{name}/README.md"), f"{data_card(name, card)}\n{use}".encode())
    return {
        **found.details,
        "units": facts.units,
        "tokens": facts.tokens,
        "duplicates": facts.lost("duplicate"),
        "short": facts.lost("short"),
        "repetitive": facts.lost("repetitive"),
        "mislabelled": facts.lost("mislabelled"),
        "seed": config.seed,
    }


class _Arms:
    """The arms of a selection, each with what it chooses by."""

    def __init__(self, config: SelectConfig) -> None:
        self.config = config
        self.lengths = Lengths()
        self.choosers: dict[ArmName, Chooser] = {}
        self.matched: Mapping[tuple[int, int], int] = {}
        self._names: Sequence[str] = ()

    @classmethod
    def chosen(cls, corpus: ScoredCorpus, config: SelectConfig, benchmark: Sequence[str]) -> _Arms:
        """Choose; all that the corpus holds is read shard by shard, several times."""
        arms = cls(config)
        available, spread = Available(), Spread(config.score)
        for _, units in corpus:
            available.add(units)
            spread.add(units)
            arms.lengths.add(units)
        budgets = budgets_of(config, available, corpus.codes.numbers, benchmark)
        english = corpus.codes.number(ENGLISH)
        names = list(dict.fromkeys(config.arms))
        for name in names:
            if name != "matched":
                of_arm = budgets.all_in(english) if name == "english_only" else budgets
                arms.choosers[name] = Chooser(Order(name, config, english, spread), of_arm)
        for _, units in corpus:
            for chooser in arms.choosers.values():
                chooser.add(units)
        if "matched" in names:
            arms.choosers["matched"] = arms._match(corpus, arms.choosers["top"])
        arms.choosers = {name: arms.choosers[name] for name in names}
        arms._names = corpus.codes.names
        return arms

    def _match(self, corpus: ScoredCorpus, top: Chooser) -> Chooser:
        matching = Matching(top, self.lengths, self.config.seed)
        for _, units in corpus:
            matching.count(units)
        for _, units in corpus:
            matching.add(units)
        matched = matching.result()
        self.matched = matched.matched
        chooser = Chooser(MatchedOrder(matched, self.config.seed), budgets_like(top))
        for _, units in corpus:
            chooser.add(units)
        return chooser

    def takes(self, units: ScoredUnits) -> Booleans:
        """Return which units are in each arm, shape ``(arms, units)``."""
        return np.stack([chooser.takes(units) for chooser in self.choosers.values()])

    def shortages(self) -> list[tuple[ArmName, str, int, Budgets]]:
        """Return each arm and language with less than the budget, what is there, and the budgets of the arm."""
        return [
            (name, self._names[language], there, chooser.budgets)
            for name, chooser in self.choosers.items()
            for language, there in chooser.shortages().items()
        ]

    def refuse_shortage(self) -> None:
        """Refuse a budget that is beyond what there is.

        Raises:
            ConfigError: An arm cannot meet its budget in a language, and is not told to take all there is.
        """
        short = self.shortages()
        if not short or self.config.shortage == "take_all":
            return
        numbers = {name: number for number, name in enumerate(self._names)}
        said = [
            f"{name} in {language}: {there:,} of {budgets.of_language[numbers[language]]:,} {budgets.what}"
            for name, language, there, budgets in short
        ]
        raise ConfigError(
            f"the budget is more than the corpus holds for {'; '.join(said)}",
            "Lower the budget, name other --languages or leave out the arm; or take all there is with "
            "--shortage take_all. The scores are kept: the next try reads no text.",
        )


def _with_arms(table: pa.Table, names: Sequence[str], chosen: Booleans) -> pa.Table:
    arms_of_unit, arms = np.nonzero(chosen.T)
    offsets = np.searchsorted(arms_of_unit, np.arange(chosen.shape[1] + 1)).astype(np.int32)
    selected = pa.ListArray.from_arrays(pa.array(offsets), pa.array(list(names), pa.string()).take(pa.array(arms)))
    return table.set_column(table.schema.get_field_index("selected"), "selected", selected)


def _warnings(config: SelectConfig, facts: Facts, arms: _Arms, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    warnings = []
    for row in (row for row in rows if row["units"] == 0):
        why = (
            f"no unit is long enough: none has {config.min_tokens:,} tokens (--min-tokens)"
            if row["available"] == 0
            else f"none could be taken, or the first exceeds {row['budget']:,}"
        )
        warnings.append(f"arm {row['arm']} holds nothing in {row['language']}: {why}")
    for name, language, there, budgets in arms.shortages():
        warnings.append(f"arm {name} takes all there is in {language}, {there:,} {budgets.what}: less than its budget")
    everything = sorted({row["language"] for row in rows if row["arm"] == "top" and row["tokens"] == row["available"]})
    if everything:
        warnings.append(
            f"the budget takes everything there is in {', '.join(everything)}: the arms do not differ there"
        )
    warnings += _differences(config, facts, rows)
    return warnings


def _differences(config: SelectConfig, facts: Facts, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return where arms differ from others in language or type, and not only in pivots."""
    warnings = []
    shares = {(row["arm"], row["language"]): row["language_share"] for row in rows}
    for row in rows:
        if row["arm"] not in BY_SCORE or row["explained"] is None:
            continue
        if row["explained"] > _MOSTLY:
            warnings.append(
                f"arm {row['arm']} differs from the corpus in {row['language']} mainly in language composition or "
                f"document type: they bring {min(row['explained'], 1):.0%} of the difference in "
                f"{'pivots' if config.score != 'bridge' else 'bridges'}"
            )
    for (arm, language), share in shares.items():
        like = shares.get(("matched", language))
        if arm == "top" and share is not None and like is not None and abs(share - like) > _POINTS:
            warnings.append(
                f"{share:.0%} of the text of arm top in {language} is in that language, and {like:.0%} of arm matched: "
                "too few units are alike (table matching)"
            )
    numbers = facts.codes.numbers
    for arm in facts.arms:
        without = [
            language
            for language in sorted({row["language"] for row in rows if row["arm"] == arm})
            if arm in BY_SCORE
            and facts.taken(arm, numbers[language], "units")
            and not facts.taken(arm, numbers[language], "n_bridges" if config.score == "bridge" else "n_pivots")
            and facts.taken(CORPUS, numbers[language], "units")
        ]
        if without:
            warnings.append(
                f"arm {arm} holds no unit with a {'bridge' if config.score == 'bridge' else 'pivot'} in "
                f"{', '.join(without)}: it is random there"
            )
    return warnings
