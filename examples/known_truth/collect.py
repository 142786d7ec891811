"""What a seed found, in tables small enough to be kept beside the page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from examples.known_truth.arms import ARMS
from examples.known_truth.chain import ARM, Chain, Effort, steps_of
from examples.known_truth.selection import BASE, SELECTED
from examples.known_truth.sequences import meetings
from examples.known_truth.words import FIRST, FOURTH, SECOND
from examples.known_truth.world import read_words

Rows = list[dict[str, Any]]
_FINAL = f"run:train/{ARM}"
_CONDITIONS = ("own", "random", "target", "matched", "other")


def collect_world(world: Path, run: Path, effort: Effort, *, whole: bool = True) -> dict[str, pa.Table]:
    """Return the tables of a world, each row with the arm of its concept.

    Args:
        world: As `make_world` wrote it.
        run: The run folder of `measure_world`.
        effort: How much was trained.
        whole: Whether every instrument was used.

    Returns:
        ``truth``: concepts, as the world has it; ``transfer``: items by checkpoint; ``stages``: arms by checkpoint and
        layer; ``layers``: items by layer, at the end; ``behaviours``: items by rule and lens, at the end; of a whole
        world also ``ablation``: items by condition, dose 1; ``mining``: concepts; ``attribution``: items.
    """
    known = pq.read_table(world / "truth.parquet")
    truth = {row["concept_id"]: row for row in known.to_pylist()}
    arms = {concept: row["arm"] for concept, row in truth.items()}
    tokens = dict(zip(steps_of(effort), effort.checkpoints, strict=True))
    final = _row(run, "train", "summary")["tokens"]
    found = {
        "truth": known,
        "transfer": _table(
            _item(row, arms)
            | {"tokens": tokens.get(row["model"], final)}
            | _only(row, "score", "probability_share", "accuracy_10way", "correct")
            for row in _rows(run, "score", "concepts")
        ),
        "stages": _table(_stages(run, arms, tokens | {_FINAL: final})),
        "layers": _table(_layers(run, arms)),
        "behaviours": _table(_behaviours(run, arms, ("raw", "tuned") if whole else ("raw",))),
    }
    if whole:
        found["together"] = meetings(world, run)
        found["ablation"] = _table(_ablation(run, arms))
        found["mining"] = _table(_mining(world, run, arms))
        found["attribution"] = _table(
            _item(row, arms)
            | _only(row, "df_both", "log_joint", "npmi", "score", "behaviour", "correct")
            | {"true_joint": truth[row["concept_id"]][f"joint_{FIRST}_{SECOND}"]}
            for row in _rows(run, "attribute", "predictors")
        )
    return found


def collect_selection(world: Path, chains: Iterable[Chain]) -> dict[str, pa.Table]:
    """Return the tables of a selection: ``selection``, items by selected arm; ``selected``, kinds of its documents."""
    select, _, trained = (chain.folder for chain in chains)
    arms = {row["concept_id"]: row["arm"] for row in pq.read_table(world / "truth.parquet").to_pylist()}
    rows = [
        _item(row, arms) | {"selected": _selected(row["model"])} | _only(row, "score", "accuracy_10way", "correct")
        for row in _rows(trained, "score", "concepts")
    ]
    kinds: Rows = []
    columns = ["file", "row", "n_tokens", "selected"]
    scores = pq.read_table(select / "select" / "scores.parquet", columns=columns).to_pylist()
    written = {file.name: pq.read_table(file)["kind"].to_pylist() for file in (world / "pool").glob("*.parquet")}
    for name in SELECTED:
        of_arm = [row for row in scores if name in row["selected"]]
        tokens: defaultdict[str, list[int]] = defaultdict(list)
        for row in of_arm:
            tokens[written[row["file"]][row["row"] - 1]].append(row["n_tokens"])
        kinds += [
            {"selected": name, "kind": kind, "units": len(found), "tokens": sum(found)}
            for kind, found in sorted(tokens.items())
        ]
    return {"selection": _table(rows), "selected": _table(kinds)}


def _selected(model: str) -> str:
    return next((name for name in SELECTED if model == f"run:train/{name}"), BASE)


def _rows(run: Path, stage: str, table: str, **kept: Any) -> Iterator[dict[str, Any]]:
    found = pq.read_table(run / stage / f"{table}.parquet")
    for column, value in kept.items():
        found = found.filter(pc.field(column) == value)
    yield from found.to_pylist()


def _row(run: Path, stage: str, table: str) -> dict[str, Any]:
    return next(_rows(run, stage, table))


def _only(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _item(row: Mapping[str, Any], arms: Mapping[str, str]) -> dict[str, Any]:
    """Return what names an item: the concept, its arm and the direction."""
    direction = f"{row['source_language']}-{row['target_language']}"
    return {"concept_id": row["concept_id"], "arm": arms[row["concept_id"]], "direction": direction}


def _table(rows: Iterable[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows))


def _layers(run: Path, arms: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield every item at every layer of the final model; E's words are known where they are among the kept tokens."""
    fourth: defaultdict[tuple[str, str, int], float] = defaultdict(float)
    for row in _rows(run, "trace", "tokens", model=_FINAL, shot_set=0):
        if row["relation"] == f"translation:{FOURTH}":
            fourth[row["concept_id"], row["source_language"], row["layer"]] += row["prob"]
    for row in _rows(run, "trace", "layers", model=_FINAL, shot_set=0):
        yield _item(row, arms) | _only(row, "layer", "target_prob", "target_rank", "mass_source") | {
            "mass_hub": row["mass_english"],
            "mass_fourth": fourth[row["concept_id"], row["source_language"], row["layer"]],
        }  # fmt: skip


def _stages(run: Path, arms: Mapping[str, str], tokens: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """Yield the means of every arm at every layer of every checkpoint."""
    found: defaultdict[tuple[str, int, int], list[tuple[float, float]]] = defaultdict(list)
    for row in _rows(run, "trace", "layers", shot_set=0):
        key = arms[row["concept_id"]], tokens[row["model"]], row["layer"]
        found[key].append((row["mass_english"], row["target_prob"]))
    for (arm, at, layer), values in sorted(found.items()):
        hub, target = (sum(side) / len(values) for side in zip(*values, strict=True))
        yield {"arm": arm, "tokens": at, "layer": layer, "n": len(values), "mass_hub": hub, "target_prob": target}


_BEHAVIOURS = {"raw": "behaviours", "tuned": "tuned_behaviours"}


def _behaviours(run: Path, arms: Mapping[str, str], lenses: Iterable[str]) -> Iterator[dict[str, Any]]:
    for lens in lenses:
        for row in _rows(run, "trace", _BEHAVIOURS[lens], model=_FINAL, shot_set=0):
            yield _item(row, arms) | {"lens": lens} | _only(row, "rule", "behaviour", "layer", "correct") | {
                "pivot_languages": "+".join(row["languages"] or ()),
            }  # fmt: skip


def _ablation(run: Path, arms: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield every ablated item with what each removal of dose 1 changes; random ones are a mean."""
    changes: defaultdict[tuple[str, str], defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    items = {}
    for row in _rows(run, "ablate", "items", dose=1.0):
        key = row["concept_id"], row["source_language"]
        items[key] = row
        if row["condition"] in _CONDITIONS:
            changes[key][row["condition"]].append(row["change"])
    for key, row in sorted(items.items()):
        yield _item(row, arms) | _only(row, "behaviour", "english_pivot", "clean_logprob", "correct") | {
            condition: sum(found) / len(found) if (found := changes[key][condition]) else None
            for condition in _CONDITIONS
        }  # fmt: skip


def planted(arm: str) -> str | None:
    """Return the language whose word is the pivot of an arm's concepts between B and C; None where there is none."""
    hub = ARMS[arm].hub
    bound = all(frozenset((hub, language)) in ARMS[arm].meets for language in (FIRST, SECOND))
    return hub if bound else None


def _mining(world: Path, run: Path, arms: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield every concept with how many pivots were mined between B and C, and where the planted one is among them."""
    words = read_words(world)
    found: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for row in _rows(run, "mine", "pair_pivots", source_language=FIRST, target_language=SECOND):
        found[row["concept_id"]][row["rank"]] = row["token"].strip()
    for concept, arm in sorted(arms.items()):
        language = planted(arm)
        ranks = [rank for rank, token in found[concept].items() if language and token == words[concept][language]]
        yield {
            "concept_id": concept,
            "arm": arm,
            "planted": language or "",
            "rank": min(ranks, default=None),
            "pivots": len(found[concept]),
            "first": found[concept].get(1, ""),
        }
