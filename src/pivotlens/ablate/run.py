"""The ablate stage: benchmark, trace and model in; what each intervention did to the answers out."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from pivotlens.ablate.config import AblateConfig
from pivotlens.ablate.effects import Condition, all_contrasts, conditions, dose_curves, removal_medians, side_effects
from pivotlens.ablate.items import SEMANTIC_PIVOT, TEST, WINDOW
from pivotlens.ablate.prepared import PreparedDirection, prepare_directions, sample_traced
from pivotlens.ablate.tables import as_table
from pivotlens.ablate.texts import known_texts
from pivotlens.ablate.window import Layers, WindowScore, best_window, candidates, early_window
from pivotlens.artifacts import Benchmark, RunFolder, Trace, Workspace
from pivotlens.errors import ConfigError, PrerequisiteError
from pivotlens.models.lens import LogitLens
from pivotlens.models.load import load_model
from pivotlens.models.resolve import model_input
from pivotlens.progress import track
from pivotlens.stage import Work
from pivotlens.text import ENGLISH, Direction, parse_direction
from pivotlens.translation.checks import prompt_warnings

_CHUNK = 64
_FEW = 30


def _traced_model(config: AblateConfig, trace: Trace, near: RunFolder) -> str:
    traced = str(trace.manifest.config["model"])
    model = config.model or traced
    if model_input(model, near) != trace.manifest.inputs["model"]:
        raise ConfigError(
            f"model = {model!r} is not the model that was traced in {near.path}, which is {traced!r}",
            f"Leave `model` out, or run `pivotlens trace --run {near.path} --model {model}` first.",
        )
    return model


def _traced_directions(config: AblateConfig, trace: Trace) -> list[Direction]:
    traced = [parse_direction(text) for text in trace.manifest.details["directions"]]
    wanted = list(dict.fromkeys(parse_direction(text) for text in config.directions)) or traced
    for direction in wanted:
        if direction not in traced:
            raise ConfigError(f"direction {direction} was not traced", f"The trace has {', '.join(map(str, traced))}.")
    return wanted


def run(work: Work[AblateConfig]) -> dict[str, Any]:
    """Choose a window of layers on half of the concepts, and ablate the items of the other half in it."""
    config, writer = work.config, work.writer
    benchmark, trace = Benchmark.load(work.run), Trace.load(work.run)
    model = _traced_model(config, trace, work.near)
    if trace.manifest.inputs.get("bench") != benchmark.manifest.fingerprint:
        raise PrerequisiteError(
            f"the trace in {work.run} was made from another benchmark than the one there now",
            f"Run `pivotlens trace --run {work.run}` again first.",
        )
    directions = _traced_directions(config, trace)
    loaded = load_model(model, config.dtype, config.device, work.near)
    for warning in loaded.warnings:
        writer.warn(warning)
    lens = LogitLens(loaded)
    samples = sample_traced(loaded, benchmark, trace, directions)
    for warning in prompt_warnings(samples, "Trace with fewer `shots`."):
        writer.warn(warning)
    prepared, caches = prepare_directions(lens, config, benchmark, trace, samples)
    if caches["shared"] == "nothing":
        writer.warn(f"every prompt was run in full, which is slower: {caches['reason']}")
    pivots = [item for one in prepared for item in one.items if item.behaviour == SEMANTIC_PIVOT]
    window: Layers = ()
    windows: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    if pivots:
        choosing = _choosing(prepared)
        peaks = [i.peak for one in choosing for i in one.items if (i.behaviour, i.half) == (SEMANTIC_PIVOT, WINDOW)]
        offered = candidates(
            peaks or [item.peak for item in pivots], lens.n_layers - 1, config.half_widths, config.last_layers
        )
        scores = _window_scores(work.workspace, choosing, offered)
        window = best_window(scores)
        if not peaks:
            writer.warn("no pivot item is in the half of the concepts that chooses the window: the narrowest was taken")
        windows = [
            {"first_layer": score.layers[0], "last_layer": score.layers[-1], "n": score.n,
             "own": score.own, "other": score.other, "chosen": score.layers == window}
            for score in scores
        ]  # fmt: skip
        if len(known_texts(loaded.tokenizer)) < 2:
            writer.warn("the tokenizer does not know the plain texts: no pivot was taken out while one is read")
        if not early_window(window):
            writer.warn("the window begins at the first block: there are no earlier layers to hold it against")
        rows = _item_rows(work.workspace, config, prepared, window, early_window(window))
    else:
        writer.warn("the trace has no semantic_pivot items that can be ablated: nothing was tested")
    tested = sum(item.half == TEST for item in pivots)
    if pivots and tested < _FEW:
        writer.warn(
            f"only {tested} pivot items are in the half that is tested: intervals are wide, and contrasts of a single "
            f"concept or none are empty; trace more concepts, or raise max_items"
        )
    found = all_contrasts(rows, config.doses, config.bootstrap, config.seed)
    held = conditions(found, config.doses)
    writer.write_table("items", as_table(rows, "items"))
    writer.write_table("windows", as_table(windows, "windows"))
    writer.write_table("effects", as_table([vars(one) for one in found], "effects"))
    doses = dose_curves(rows, config.doses, config.bootstrap, config.seed)
    writer.write_table("doses", as_table(doses, "doses"))
    writer.write_table("removals", as_table(removal_medians(rows), "removals"))
    writer.write_table("conditions", as_table([vars(one) for one in held], "conditions"))
    writer.write_table("side_effects", as_table(side_effects(rows, config.bootstrap, config.seed), "side_effects"))
    return {
        **loaded.details(),
        "prompt": trace.manifest.config["prompt"],
        "directions": [str(direction) for direction in directions],
        "pivot_items": len(pivots),
        "pivot_items_tested": tested,
        "direct_items": sum(len(one.items) for one in prepared) - len(pivots),
        "layers": lens.n_layers,
        "window": list(window),
        "early": list(early_window(window)) if window else [],
        "tied_embeddings": bool(getattr(loaded.model.config.get_text_config(), "tie_word_embeddings", False)),
        "shared_caches": caches["shared"] != "nothing",
        "caches": caches,
        "self_check": lens.check.details(),
        "causal": _causal(held),
    }


def _causal(held: list[Condition]) -> dict[str, bool | None]:
    """Say for each group of directions whether all five conditions hold over all items."""
    found: dict[str, bool | None] = {}
    for direction_group in dict.fromkeys(one.direction_group for one in held):
        verdicts = [one.holds for one in held if (one.direction_group, one.item_set) == (direction_group, "all")]
        found[direction_group] = False if False in verdicts else None if None in verdicts else True
    return found


def _choosing(prepared: list[PreparedDirection]) -> list[PreparedDirection]:
    """Return the directions that choose the window: those with neither side English, where they have pivots."""
    neither = [one for one in prepared if ENGLISH not in one.direction and one.cases("semantic_pivot", "window")]
    return neither or prepared


def _window_scores(workspace: Workspace, choosing: list[PreparedDirection], offered: list[Layers]) -> list[Any]:
    for one in track(choosing, "choose the window", len(choosing)):
        key = f"window.{one.key}"
        if not workspace.has_part(key):
            kind = pa.schema([("window", pa.int64()), ("own", pa.float64()), ("other", pa.float64())])
            workspace.write_part(key, pa.Table.from_pylist(one.window_rows(offered), schema=kind))
    rows = [row for one in choosing for row in workspace.read_part(f"window.{one.key}").to_pylist()]
    scores = []
    for number, layers in enumerate(offered):
        both = [row for row in rows if row["window"] == number]
        n = len(both)
        own, other = (sum(row[name] for row in both) / max(n, 1) for name in ("own", "other"))
        scores.append(WindowScore(layers, n, own, other))
    return scores


def _item_rows(
    workspace: Workspace, config: AblateConfig, prepared: list[PreparedDirection], window: Layers, early: Layers
) -> list[dict[str, Any]]:
    steps = [
        (one, behaviour, start)
        for one in prepared
        for behaviour in ("semantic_pivot", "direct")
        for start in range(0, len(one.cases(behaviour, "test")), _CHUNK)
    ]
    rows = []
    for one, behaviour, start in track(steps, "ablate", len(steps)):
        key = f"{one.key}.{behaviour}.{start}"
        if not workspace.has_part(key):
            found = one.condition_rows(behaviour, start, start + _CHUNK, window, early)
            workspace.write_part(key, as_table(found, "items"))
        rows += workspace.read_part(key).to_pylist()
    return rows
