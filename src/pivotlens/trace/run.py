"""The trace stage: benchmark, model and, where there are any, mined pivots and a tuned lens in; behaviours out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from pivotlens.artifacts import Counts, Pivots, TrainedLens
from pivotlens.artifacts.tables import schema_of
from pivotlens.models.lens import LogitLens
from pivotlens.models.load import LoadedModel, load_model
from pivotlens.models.tokenizer import load_tokenizer
from pivotlens.models.tuned_lens import TunedLens
from pivotlens.progress import track
from pivotlens.settings import PromptTemplate
from pivotlens.stage import Work
from pivotlens.trace.agreement import agreement_between_shot_sets, agreement_rows, labels_of
from pivotlens.trace.behaviours import rule_rows
from pivotlens.trace.comparison import MinedPivots, load_mined
from pivotlens.trace.config import TraceConfig
from pivotlens.trace.failures import failure_rows
from pivotlens.trace.label_counts import label_rows, threshold_rows, token_rows
from pivotlens.trace.lens_shares import lens_layer_rows, lens_share_rows
from pivotlens.trace.mined_recall import mined_ranks, mined_recall_rows
from pivotlens.trace.pivot_kinds import (
    pivot_count_rows,
    pivot_language_rows,
    pivot_link_rows,
    pivot_rows,
    pivot_summary_rows,
)
from pivotlens.trace.pivot_languages import PivotLanguages
from pivotlens.trace.profiles import profile_rows
from pivotlens.trace.summary import TracedItems, strata_rows, summary_rows
from pivotlens.trace.token_sets import WordTokens
from pivotlens.trace.tracer import Tracer
from pivotlens.translation.checks import make_scorer, prompt_warnings, sample_prompts
from pivotlens.translation.failures import FailureKinds
from pivotlens.translation.items import accepted_answers
from pivotlens.translation.sweep import Key, Sweep

_PARTS = ("layers", "tokens", "behaviours", "sensitivity", "tuned_behaviours", "lenses", "items")


def run(work: Work[TraceConfig]) -> dict[str, Any]:
    """Trace every model, prompt, direction and shot set."""
    config, writer = work.config, work.writer
    sweep = _TraceSweep.of(work, config.shot_sets, "traced")
    calibrating = sum(concept.calibration for concept in sweep.concepts)
    if calibrating < 100:
        writer.warn(f"the baseline of the calibrated rule rests on {calibrating} concepts; it is steady from 100 on")
    for number in range(len(config.models())):
        sweep.trace_model(number)
    details = [sweep.details(number) for number in range(len(config.models()))]
    for one in details:
        for warning in one["warnings"]:
            writer.warn(warning)
    sweep.warn_of_memory()
    agreement = _write_tables(sweep, [one["mined"] for one in details])
    return {
        **details[0]["loaded"],
        "caches": details[0]["caches"],
        "also_models": [{**one["loaded"], "caches": one["caches"]} for one in details[1:]],
        "directions": [str(direction) for direction in sweep.directions],
        "concepts": len(sweep.concepts),
        "calibration_concepts": calibrating,
        "layers": details[0]["layers"],
        "shot_sets": sweep.shot_sets,
        "shared_caches": all(one["caches"]["shared"] != "nothing" for one in details),
        "self_check": details[0]["self_check"],
        "mined_pivots": details[0]["mined"],
        "tuned_lens": details[0]["tuned"],
        "agreement_between_shot_sets": agreement,
    }


class _TraceSweep(Sweep[TraceConfig]):
    """What is traced; a part a model, prompt, direction and shot set survives an interruption."""

    def table_part(self, model: int, key: Key, table: str) -> str:
        """Return the name of a table's part."""
        return f"{self.part(model, *key)}.{table}"

    def trace_model(self, number: int) -> None:
        """Trace what is not traced yet of a model."""
        if self.has_details(number) and all(self._is_traced(number, key) for key in self.keys()):
            return
        config = self.config
        spec = config.models()[number]
        loaded = load_model(spec, config.dtype, config.device, self.work.near)
        lens = LogitLens(loaded)
        warnings = [f"{spec}: {warning}" for warning in loaded.warnings]
        translations = self.translations(loaded)
        samples = sample_prompts([translations.prompts(*key) for key in self.keys()], translations.pairs())
        too_long = prompt_warnings(samples, "Use fewer `shots`.", translations.accepted())
        warnings += [f"{spec}: {warning}" for warning in too_long]
        scorer, reason = make_scorer(samples, config.batch_tokens, packed=False)
        if not scorer.share_cache:
            warnings.append(f"{spec}: every prompt was run in full, which is slower: {reason}")
        if lens.check.untestable:
            warnings.append(f"{spec}: early exit could not be tested: {lens.check.untestable}")
        mined = self._mined(loaded, warnings)
        tuned = self._tuned(loaded, warnings)
        every = list(self.benchmark.concepts.values())
        tokens = WordTokens(loaded.tokenizer, config.token_sets)
        tracer = Tracer(lens, scorer, tokens, PivotLanguages.of(every), FailureKinds.of(every), mined, tuned, config)
        description = "trace" if len(config.models()) == 1 else f"trace {spec}"
        for key in track(self.keys(), description, len(self.keys())):
            if self._is_traced(number, key):
                continue
            prompt, direction, shot_set = key
            tables = tracer.tables(translations.prompts(*key), self.concepts, accepted_answers(every, direction))
            self.keep_memory_warning(scorer.memory.warning)
            labels = {"model": spec, "prompt": prompt, "shot_set": shot_set}
            labels |= {"source_language": direction.source, "target_language": direction.target}
            for name in _PARTS:
                part = self.table_part(number, key, name)
                self.work.workspace.write_part(part, _labelled(name, labels, tables.get(name)))
        recorded = {
            "loaded": loaded.details(),
            "layers": lens.n_layers,
            "self_check": lens.check.details(),
            "caches": {"shared": scorer.sharing, "reason": reason},
            "mined": mined is not None,
            "tuned": tuned is not None,
            "warnings": warnings,
        }
        self.write_details(number, recorded)

    def _is_traced(self, number: int, key: Key) -> bool:
        # The last table of a part marks it as finished.
        return self.work.workspace.has_part(self.table_part(number, key, _PARTS[-1]))

    def _mined(self, loaded: LoadedModel, warnings: list[str]) -> MinedPivots | None:
        if "mine" not in self.work.plan.inputs:
            return None
        counts, pivots = Counts.load(self.work.run), Pivots.load(self.work.run)
        spec = loaded.resolved.spec
        of_corpus = load_tokenizer(spec, self.work.near)
        text = " ".join(word for concept in self.concepts for word in concept.words.values())
        if of_corpus.encode_batch([text])[0].tolist() != loaded.tokenizer(text, add_special_tokens=False)["input_ids"]:
            warnings.append(
                f"{spec}: the model's tokenizer, as transformers makes it, cuts text otherwise than the tokenizer.json "
                f"that the corpus was counted with"
            )
        if counts.manifest.details.get("tokenizer") != of_corpus.fingerprint:
            warnings.append(f"the corpus was counted with another tokenizer than {spec}'s: mined pivots are left out")
            return None
        return load_mined(pivots, counts, self.config.seed)

    def _tuned(self, loaded: LoadedModel, warnings: list[str]) -> TunedLens | None:
        if "lens" not in self.work.plan.inputs:
            return None
        trained = TrainedLens.load(self.work.run)
        if trained.manifest.details.get("model_fingerprint") != loaded.resolved.fingerprint:
            warnings.append(f"the lens in the run is of another model than {loaded.resolved.spec}: it is left out")
            return None
        return TunedLens.load(trained.weights, loaded)

    def parts(self, name: str, of: tuple[int, PromptTemplate] | None = None) -> Iterator[tuple[Key, pa.Table]]:
        """Yield a table part by part, each with its key, in the order of the models; none is held.

        Args:
            name: Of the table.
            of: Number of the model, and prompt, whose parts alone are read; those of all when None.
        """
        for number in range(len(self.config.models())):
            for key in self.keys():
                if of is None or of == (number, key[0]):
                    yield key, self.work.workspace.read_part(self.table_part(number, key, name))

    def rows(self, name: str, of: tuple[int, PromptTemplate] | None = None) -> Iterator[dict[str, Any]]:
        """Yield the rows of a table, as `parts` reads it; a part's are held."""
        return (row for _, part in self.parts(name, of) for row in part.to_pylist())


def _labelled(name: str, labels: dict[str, Any], table: pa.Table | None) -> pa.Table:
    """Return a table with what is the same in all its rows; an empty one where there is none."""
    if table is None:
        return schema_of("trace", name).empty_table()
    same = {key: pa.repeat(value, table.num_rows) for key, value in labels.items()}
    return pa.table(same | {key: table[key] for key in table.column_names})


def _write_tables(sweep: _TraceSweep, mined: Sequence[bool]) -> float | None:
    """Write the stage's tables; return how far the first model's labels agree between shot sets.

    Args:
        sweep: What was traced.
        mined: Of each model whether mined pivots could be held against it.
    """
    config, writer = sweep.config, sweep.work.writer
    for name in _PARTS:  # the tokens of many directions are more than the memory holds
        writer.write_table_blocks(name, (part for _, part in sweep.parts(name)))
    names = ("summary", "strata", "agreement", "pivot_languages", "lens_shares", "mined_recall", "failures")
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    between: list[float | None] = []
    ranks = mined_ranks(Pivots.load(sweep.work.run)) if "mine" in sweep.work.plan.inputs else {}
    for number, model in enumerate(config.models()):
        for prompt in config.prompts():
            of = number, prompt
            traced = TracedItems.of(sweep.rows("items", of), model, prompt)
            labels = labels_of(sweep.rows("behaviours", of), model, prompt)
            rows["summary"] += summary_rows(traced, labels, config.bootstrap, config.seed)
            rows["strata"] += strata_rows(traced, labels, config.bootstrap, config.seed)
            rows["pivot_languages"] += pivot_language_rows(
                traced, sweep.rows("behaviours", of), config.bootstrap, config.seed
            )
            if mined[number]:
                rows["mined_recall"] += mined_recall_rows(
                    traced, sweep.rows("behaviours", of), ranks, config.bootstrap, config.seed
                )
            rows["failures"] += failure_rows(traced, labels, config.bootstrap, config.seed)
            labels_tuned = labels_of(sweep.rows("tuned_behaviours", of), model, prompt)
            for name, made in (("agreement", agreement_rows), ("lens_shares", lens_share_rows)):
                found = made(labels, labels_tuned, config.bootstrap, config.seed)
                rows[name] += [traced.labels() | row for row in found]
            between.append(agreement_between_shot_sets(labels))
    rows["lens_layers"] = lens_layer_rows(list(sweep.rows("lenses")))
    rows["labels"] = label_rows(sweep.rows("behaviours"))
    rows["deciding_tokens"] = token_rows(sweep.rows("behaviours"))
    rows["thresholds"] = threshold_rows(sweep.rows("sensitivity"))
    rows["rules"] = rule_rows()
    rows["pivots"] = pivot_rows(sweep.rows("behaviours"))
    for name, counted in (
        ("pivot_counts", pivot_count_rows),
        ("pivot_links", pivot_link_rows),
        ("pivot_summary", pivot_summary_rows),
    ):
        rows[name] = counted(rows["pivots"])
    rows["profiles"] = [
        row
        for (_, _, shot_set), layers in sweep.parts("layers")
        if shot_set == 0
        for row in profile_rows(layers, config.bootstrap, config.seed)
    ]
    for name, of_table in rows.items():
        writer.write_rows(name, of_table)
    return between[0]
