"""The lens stage: a model and a corpus in, trained translators and their distance from the last layer out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from pivotlens.artifacts import ResultWriter, TrainedLens, Workspace
from pivotlens.corpus import (
    Listing,
    PartStore,
    UnitPlan,
    check_bad_share,
    columns_of,
    merged_bad_rows,
    open_corpus,
)
from pivotlens.corpus.sample import Piece, SamplePass, merged_sample
from pivotlens.errors import DataError, ModelError
from pivotlens.lens.config import LensConfig
from pivotlens.lens.reading import damping_curve, distances, encode, layer_states, spread_positions
from pivotlens.lens.sample import held_out_apart, in_turn
from pivotlens.lens.training import CandidateTokens, Training, kept, token_mass
from pivotlens.models.encoding import Ids
from pivotlens.models.head_slices import HeadSlices
from pivotlens.models.lens import LogitLens
from pivotlens.models.limits import length_warnings
from pivotlens.models.load import LoadedModel, load_model
from pivotlens.models.tuned_lens import TunedLens
from pivotlens.progress import track
from pivotlens.stage import Work
from pivotlens.statistics.bootstrap import bootstrap_mean

# A token is seldom longer; what is kept of a piece must fill a sequence.
_CHARACTERS_A_TOKEN = 16
# Fewest tokens that a piece is expected to give: how many pieces are kept follows from it.
_TOKENS_A_PIECE = 16
# Positions that give each layer's units, and those whose whole distributions choose the probable tokens.
_UNIT_POSITIONS, _MASS_POSITIONS = 2048, 192
# How much of a translator's change is kept: what is tried on documents apart; 0 is the raw lens.
_KEPT_CHANGES = (0.0, 0.25, 0.5, 0.75, 1.0)
# Positions read of a held-out document, and documents read between two parts.
_HELD_OUT_POSITIONS, _HELD_OUT_BATCH = 8, 8


def run(work: Work[LensConfig]) -> dict[str, Any]:
    """Draw text, train the translators, damp them and measure them."""
    config, workspace, writer = work.config, work.workspace, work.writer
    apart, pieces = _drawn(work)
    loaded = load_model(config.model, config.dtype, config.device, work.near)
    for warning in loaded.warnings:
        writer.warn(warning)
    lens = LogitLens(loaded)
    text = _text(writer, config, loaded, apart, pieces)
    training = _train(workspace, config, lens, text)
    tuned = training.lens(loaded)
    kept_changes = _damping(workspace, config, lens, tuned, text)
    tuned = tuned.damped(torch.tensor(kept_changes))
    tuned.save(writer.staged(TrainedLens.WEIGHTS))
    kl, agrees = _measured(workspace, config, lens, tuned, text)
    writer.write_table("layers", _layers_table(config, kl, agrees, [*kept_changes, 0.0]))
    return {
        **loaded.details(),
        "layers": lens.n_layers,
        "tokens": sum(len(ids) - 1 for batch in text.batches for ids in batch),
        "sequences": len(text.train),
        "languages": text.languages,
        "held_out_documents": len(text.held_out),
        "self_check": lens.check.details(),
    }


# -- text


@dataclass(frozen=True)
class _Text:
    """Sequences of token ids.

    Attributes:
        train: To train on.
        batches: Those of each step.
        held_out: One of each document that was kept apart to measure on.
        choosing: One of each that was kept apart to choose each layer's damping by.
        languages: Of the sequences to train on.
    """

    train: list[Ids]
    batches: list[list[Ids]]
    held_out: list[Ids]
    choosing: list[Ids]
    languages: list[str]


def _drawn(work: Work[LensConfig]) -> tuple[list[Piece], dict[str, list[Piece]]]:
    config, workspace, writer = work.config, work.workspace, work.writer
    plan = UnitPlan(
        replace(columns_of(config), source=config.source_column),
        unit_characters=config.unit_characters,
        limit_documents=config.limit_documents,
        max_bad_share=config.max_bad_share,
        identify=config.identify,
        boilerplate_share=config.boilerplate_share,
    )
    corpus, executor = work.plan.source("corpus", Listing), work.executor
    opened = open_corpus(corpus.files, plan, executor, workspace.parts_folder)
    shards, most = opened.shards, config.tokens // _TOKENS_A_PIECE + 2 * config.held_out
    draw = SamplePass(opened.plan, most, config.sequence_length * _CHARACTERS_A_TOKEN, config.seed, "lens")
    drawn = PartStore(workspace.parts_folder("drawn"))
    executor.run(shards, draw, drawn, "Drawing text")
    bad = merged_bad_rows(shards, drawn, config.max_bad_share)
    check_bad_share(bad, config.max_bad_share, config.corpus)
    pieces = merged_sample(shards, drawn, most)
    if config.limit_documents is not None:
        writer.warn(f"only the first {config.limit_documents:,} documents of each file were read (--limit-documents)")
    for warning in (*corpus.warnings, *opened.warnings):
        writer.warn(warning)
    if bad.count:
        writer.warn(f"{bad.count:,} rows of the corpus could not be read")
    return held_out_apart(pieces, 2 * config.held_out)


def _text(
    writer: ResultWriter,
    config: LensConfig,
    loaded: LoadedModel,
    apart: Sequence[Piece],
    pieces: dict[str, list[Piece]],
) -> _Text:
    kept = [ids for ids in encode(loaded, [piece.text for piece in apart], config.sequence_length) if len(ids) > 1]
    held_out, choosing = kept[::2], kept[1::2]
    train: list[Ids] = []
    used: set[str] = set()
    language_of = {piece: language for language, drawn in pieces.items() for piece in drawn}
    order, total = in_turn(pieces), 0
    for start in range(0, len(order), 256):
        chunk = order[start : start + 256]
        for piece, ids in zip(
            chunk, encode(loaded, [piece.text for piece in chunk], config.sequence_length), strict=True
        ):
            if len(ids) > 1 and total < config.tokens:
                train.append(ids)
                used.add(language_of[piece])
                total += len(ids) - 1
        if total >= config.tokens:
            break
    if len(held_out) < 2 or not choosing or not train:
        raise DataError(
            f"corpus {config.corpus!r} is too short to train a lens on: it gives {len(train)} sequences to train on "
            f"and {len(kept)} documents to measure on",
            "Give more documents; of each language at most half are kept apart, and the lens needs three of them.",
        )
    for warning in length_warnings(loaded, [*train, *kept], "a sequence", "Lower `sequence_length`."):
        writer.warn(warning)
    if len(held_out) < config.held_out:
        writer.warn(f"the lens was measured on {len(held_out)} documents, not on held_out = {config.held_out}")
    if total < config.tokens:
        writer.warn(f"the corpus gave {total:,} tokens to train on, not {config.tokens:,}: they were read again")
    return _Text(train, _batches(train, config), held_out, choosing, sorted(used))


def _batches(train: Sequence[Ids], config: LensConfig) -> list[list[Ids]]:
    each, place = math.ceil(config.tokens / config.steps), 0
    batches = []
    for _ in range(config.steps):
        batch: list[Ids] = []
        while sum(len(ids) - 1 for ids in batch) < each:
            batch.append(train[place % len(train)])
            place += 1
        batches.append(batch)
    return batches


# -- training


def _train(workspace: Workspace, config: LensConfig, lens: LogitLens, text: _Text) -> Training:
    head = HeadSlices(lens.head)
    if not head.sliced:
        raise ModelError(
            f"the head of {config.model!r} cannot be read a part of the vocabulary at a time",
            "A lens can be trained only on a model whose head is one plain matrix.",
        )
    folder = workspace.parts_folder("training")
    done = kept(folder)
    if done:
        training = Training.load(done[-1])
    else:
        first = _first_states(config, lens, text)
        mass = token_mass(lens, first[spread_positions(len(first), _MASS_POSITIONS)])
        workspace.write_part("token_mass", pa.table({"mass": mass.numpy()}))
        training = Training.begin(first)
        training.save(folder)
    mass = torch.from_numpy(workspace.read_part("token_mass")["mass"].to_numpy().copy())
    candidates = CandidateTokens.of(mass, config.candidates, config.seed)
    begun = int(training.step)
    for step in track(range(begun, config.steps), "lens", config.steps - begun):
        states = torch.cat(layer_states(lens, text.batches[step], config.batch_tokens))
        rate = config.learning_rate * (1 - step / config.steps)
        with head.open(grad=True) as decode:
            training.train_step(lens, decode, states, candidates.draw(step), rate)
        if (step + 1) % config.checkpoint == 0 or step + 1 == config.steps:
            training.save(folder)
    return training


def _first_states(config: LensConfig, lens: LogitLens, text: _Text) -> torch.Tensor:
    chosen: list[Ids] = []
    for ids in text.train:
        chosen.append(ids)
        if sum(len(other) - 1 for other in chosen) >= _UNIT_POSITIONS:
            break
    return torch.cat(layer_states(lens, chosen, config.batch_tokens))


# -- measuring


def _damping(workspace: Workspace, config: LensConfig, lens: LogitLens, tuned: TunedLens, text: _Text) -> list[float]:
    """Return the share of each translator's change that is kept.

    Where the raw lens is good already, what few tokens teach is mostly noise. The share with the least KL over
    documents that were neither trained on nor are measured on is kept.
    """
    if not workspace.has_part("damping"):
        chosen = [
            states
            for start in range(0, len(text.choosing), _HELD_OUT_BATCH)
            for states in _positions(config, lens, text.choosing[start : start + _HELD_OUT_BATCH])
        ]
        curve = damping_curve(lens, tuned, torch.cat(chosen), _KEPT_CHANGES)
        workspace.write_part("damping", pa.table({"kept_change": np.array(_KEPT_CHANGES)[curve.argmin(axis=0)]}))
    kept_changes: list[float] = workspace.read_part("damping")["kept_change"].to_pylist()
    return kept_changes


def _positions(config: LensConfig, lens: LogitLens, documents: Sequence[Ids]) -> list[torch.Tensor]:
    """Return what is read of documents that were kept apart, each of shape ``(positions, layers, hidden)``."""
    every = layer_states(lens, documents, config.batch_tokens)
    return [states[spread_positions(len(states), _HELD_OUT_POSITIONS)] for states in every]


def _measured(
    workspace: Workspace, config: LensConfig, lens: LogitLens, tuned: TunedLens, text: _Text
) -> tuple[np.ndarray, np.ndarray]:
    """Return KL and agreement, means over positions, both of shape ``(documents, layers, 2)``, raw first."""
    starts = range(0, len(text.held_out), _HELD_OUT_BATCH)
    for start in track(starts, "held-out documents", len(starts)):
        if workspace.has_part(f"held_out_{start}"):
            continue
        chosen = _positions(config, lens, text.held_out[start : start + _HELD_OUT_BATCH])
        kl, agrees = distances(lens, tuned, torch.cat(chosen))
        ends = np.cumsum([len(states) for states in chosen])[:-1]
        means = [[part.mean(axis=0) for part in np.split(values, ends)] for values in (kl, agrees)]
        flat = [np.stack(part).ravel() for part in means]
        workspace.write_part(f"held_out_{start}", pa.table({"kl": flat[0], "agrees": flat[1]}))
    parts = [workspace.read_part(f"held_out_{start}") for start in starts]
    shape = (len(text.held_out), lens.n_layers, 2)
    return tuple(np.concatenate([part[name].to_numpy() for part in parts]).reshape(shape) for name in ("kl", "agrees"))  # type: ignore[return-value]


def _layers_table(config: LensConfig, kl: np.ndarray, agrees: np.ndarray, kept_changes: Sequence[float]) -> pa.Table:
    rows = []
    for layer in range(kl.shape[1]):
        row: dict[str, object] = {
            "model": config.model,
            "layer": layer,
            "n": len(kl),
            "kept_change": kept_changes[layer],
        }
        for which, name in enumerate(("raw", "tuned")):
            for values, what in ((kl, "kl"), (agrees, "agrees")):
                found = bootstrap_mean(values[:, layer, which][:, None, None], config.bootstrap, config.seed)
                row |= {
                    f"{what}_{name}": found.value,
                    f"{what}_{name}_low": found.low,
                    f"{what}_{name}_high": found.high,
                }
        rows.append(row)
    return pa.Table.from_pylist(rows)
