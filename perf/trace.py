"""Reading all layers beside a plain forward pass, full hidden states and TransformerLens, in the same run.

    python -m perf.trace --concepts 200                     # Gemma-3-270M: some minutes; all 2048 take over an hour
    python -m perf.trace --transformer-lens-python PATH     # beside TransformerLens, from its own environment

Ours is what `pivotlens trace` does to read every layer of a direction: `read_states` behind a shared prefix, then
`LensStates` and `reduce_states`. Generating the model's own answers is no part of the lens: it is left out here and
printed beside it. The last line is one JSON object:

- ``vs_plain_forward``: our time over that of one plain forward pass of the same full prompts: padded batches sorted by
  length, logits of the last position only, nothing shared, nothing read
- ``vs_hidden_states``: time an item of ``output_hidden_states=True`` with the lens decoded at every position and layer
  (final norm, head, softmax, the ten most probable tokens), a prompt a pass, over ours
- ``vs_transformer_lens``: time of TransformerLens' own logit lens (the ten most probable tokens of every layer at the
  last position; `reference_transformer_lens.py`) over ours; null unless an interpreter that has it is given
- ``peak_ratio``: most memory above the loaded model, full hidden states over ours, each reading all items in a process
  of its own (Linux only): ours in batches within the token budget, the other side a prompt a pass, where the longest
  one makes its peak
- ``max_abs_diff``: largest difference from the plain forward pass and the full hidden states in the probability of our
  ten tokens and of the target, at the last position
- ``max_abs_diff_transformer_lens``: largest difference from TransformerLens in the probability of our ten tokens

Times are medians over interleaved rounds.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import subprocess
import sys
import tempfile
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt
import torch

from perf.memory import peak_extra_mb
from perf.score import items_of, timed
from pivotlens.arrays import Floats, Integers
from pivotlens.models.encoding import Ids
from pivotlens.models.head_slices import HeadSlices
from pivotlens.models.lens import LogitLens
from pivotlens.models.load import LoadedModel, load_model
from pivotlens.models.scorer import AnswerScorer
from pivotlens.text import parse_direction
from pivotlens.trace.items import TracedItem, prepare_items
from pivotlens.trace.reading import LayerReadings, LensStates, SharedReading, read_states, reduce_states
from pivotlens.trace.token_sets import WordTokens
from pivotlens.translation.checks import make_scorer, sample_prompts
from pivotlens.translation.items import accepted_answers
from pivotlens.translation.prompts import shot_examples
from pivotlens.translation.words import WordPrompts, greedy_answers

TOP_K = 10
PLAIN_BATCH_TOKENS = 8192


class SilentScorer(AnswerScorer):
    """Answers nothing: items are prepared without generating."""

    def generate(self, contexts: Sequence[Ids], max_tokens: int, stop: Callable[[int], bool]) -> list[Ids]:
        return [()] * len(contexts)


@dataclass(frozen=True)
class Reading:
    """What is read: the items of one direction and shot set."""

    lens: LogitLens
    scorer: AnswerScorer
    words: WordTokens
    items: list[TracedItem]
    target: str
    batch_tokens: int

    @property
    def loaded(self) -> LoadedModel:
        return self.lens.loaded

    @cached_property
    def head(self) -> HeadSlices:
        return HeadSlices(self.lens.head)

    @cached_property
    def contexts(self) -> list[Ids]:
        return [item.read.context for item in self.items]

    def kept_tokens(self, readings: LayerReadings) -> Integers:
        """Return the tokens that are compared: our most probable ones and the target, last."""
        targets = np.array([item.read.target for item in self.items])
        return np.concatenate(
            [readings.token_ids, np.broadcast_to(targets[:, None, None], (*readings.entropy.shape, 1))], axis=2
        )

    def generate(self) -> list[str]:
        accepted = [item.concept.accepted[self.target] for item in self.items]
        return greedy_answers(self.scorer, self.contexts, self.words.texts, accepted)


def reading_of(model: str, direction_name: str, limit: int | None, batch_tokens: int) -> Reading:
    direction = parse_direction(direction_name, "--direction")
    with tempfile.TemporaryDirectory() as name:
        benchmark_items = items_of("word-translation", None, direction, 1, Path(name))
    concepts = benchmark_items.benchmark.test_concepts(limit)
    loaded = load_model(model, "float32", "cpu")
    prompts = WordPrompts(
        loaded, direction, shot_examples(benchmark_items.words, benchmark_items.shot_sets[0], direction), "english"
    )
    pairs = [(one.words[direction.source], one.words[direction.target]) for one in concepts]
    scorer, reason = make_scorer(sample_prompts([prompts], {direction: pairs}), batch_tokens)
    if reason is not None:
        print(f"{model}: every prompt is run in full: {reason}", flush=True)
    words = WordTokens(loaded.tokenizer, "first")
    answers = accepted_answers(benchmark_items.benchmark.concepts.values(), direction)
    silent = SilentScorer(loaded, batch_tokens, scorer.sharing)
    items = prepare_items(silent, prompts, concepts, words, None, answers)
    return Reading(LogitLens(loaded), scorer, words, items, direction.target, batch_tokens)


def ours(reading: Reading) -> LayerReadings:
    read = [item.read for item in reading.items]
    how = SharedReading(reading.batch_tokens, reading.scorer.share_cache)
    states = read_states(reading.lens, [one.context for one in read], how)
    return reduce_states(reading.head, LensStates(reading.lens, states), read, TOP_K)


def plain_forward(reading: Reading) -> Iterator[tuple[list[int], torch.Tensor]]:
    """Yield batches of items with their logits at the last position."""
    loaded, contexts = reading.loaded, reading.contexts
    order = sorted(range(len(contexts)), key=lambda row: len(contexts[row]))
    while order:
        count = len(order)
        # The longest first, as many as the budget allows.
        rows = order[-max(1, min(count, PLAIN_BATCH_TOKENS // len(contexts[order[-1]]))) :]
        del order[count - len(rows) :]
        width = len(contexts[rows[-1]])
        ids = torch.zeros(len(rows), width, dtype=torch.long, device=loaded.device)
        mask = torch.zeros_like(ids)
        for place, row in enumerate(rows):
            ids[place, width - len(contexts[row]) :] = torch.tensor(contexts[row])
            mask[place, width - len(contexts[row]) :] = 1
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
        with torch.inference_mode():
            output = loaded.model(
                input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False, **loaded.last_only
            )
        yield rows, output.logits[:, -1]


def hidden_states_lens(loaded: LoadedModel, contexts: Sequence[Ids], kept: Integers) -> list[npt.NDArray[np.float32]]:
    """Decode every position and layer, a prompt a pass; return the probabilities of tokens at each last position."""
    return [decode_everything(loaded, context, tokens) for context, tokens in zip(contexts, kept, strict=True)]


def decode_everything(loaded: LoadedModel, context: Ids, tokens: Integers) -> npt.NDArray[np.float32]:
    """Decode every position and layer of a prompt by norm and output layer alone, as in Llama and Gemma 3."""
    norm, head = loaded.model.get_decoder().norm, loaded.model.get_output_embeddings()
    ids = torch.tensor([context], device=loaded.device)
    with torch.inference_mode():
        hidden = loaded.model(
            input_ids=ids, output_hidden_states=True, use_cache=False, **loaded.last_only
        ).hidden_states
        # The last of them has passed the final norm already.
        states = torch.cat([*(norm(state) for state in hidden[:-1]), hidden[-1]])
        probs = head(states).softmax(dim=-1)
        probs.topk(TOP_K)
        return probs[:, -1].gather(1, torch.from_numpy(tokens)).numpy()


def difference_from_plain(reading: Reading, readings: LayerReadings) -> float:
    tokens, values = reading.kept_tokens(readings), our_probabilities(readings)
    worst = 0.0
    for rows, logits in plain_forward(reading):
        probs = logits.softmax(dim=-1).gather(1, torch.from_numpy(tokens[rows, -1])).numpy()
        worst = max(worst, float(np.abs(probs - values[rows, -1]).max()))
    return worst


def our_probabilities(readings: LayerReadings) -> Floats:
    return np.concatenate([readings.probs, readings.target_prob[:, :, None]], axis=2)


def peak_of_side(reading: Reading, side: str) -> float | None:
    """Read the items and return the most memory above what the loaded model takes."""
    # Weights are mapped from their file: as they leave memory and come back they would count as new.
    for weight in reading.loaded.model.parameters():
        weight.data = weight.data.clone()
    # What making the lens freed goes back, or it would serve unseen.
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
    if side == "ours":
        return peak_extra_mb(lambda: ours(reading))
    # A prompt a pass: the peak is that of the longest.
    longest = max(reading.contexts, key=len)
    any_tokens = np.zeros((reading.lens.n_layers, 1), dtype=np.int64)
    return peak_extra_mb(lambda: decode_everything(reading.loaded, longest, any_tokens))


def peak_in_process(options: argparse.Namespace, side: str) -> float | None:
    command = [sys.executable, "-m", "perf.trace", "--model", options.model, "--direction", options.direction]
    command += ["--batch-tokens", str(options.batch_tokens), "--peak-of", side]
    if options.concepts is not None:
        command += ["--concepts", str(options.concepts)]
    found: float | None = json.loads(subprocess.check_output(command, text=True).splitlines()[-1])
    return found


def transformer_lens(python: str, reading: Reading, readings: LayerReadings) -> tuple[float, float]:
    """Run `reference_transformer_lens.py`; return its seconds and the largest difference from it."""
    with tempfile.TemporaryDirectory() as name:
        prompts, found = Path(name, "prompts.npz"), Path(name, "found.npz")
        lengths = np.array([len(context) for context in reading.contexts])
        np.savez(prompts, ids=np.concatenate(reading.contexts), lengths=lengths)
        script = Path(__file__).with_name("reference_transformer_lens.py")
        command = [python, str(script), str(reading.loaded.resolved.folder), str(prompts), str(found)]
        command += [str(TOP_K), str(PLAIN_BATCH_TOKENS), str(torch.get_num_threads())]
        subprocess.run(command, check=True)
        with np.load(found) as arrays:
            token_ids, probs = arrays["token_ids"], arrays["probs"]
            same = readings.token_ids[..., None] == token_ids[..., None, :]
            theirs = np.where(same, probs[..., None, :], 0.0).sum(axis=-1)
            # A token that only we keep is at most as probable there as the last one kept.
            theirs = np.where(same.any(axis=-1), theirs, probs[..., -1:])
            return float(arrays["seconds"]), float(np.abs(readings.probs - theirs).max())


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="demo:gemma-3-270m")
    parser.add_argument("--direction", default="fr-zh")
    parser.add_argument("--concepts", type=int, help="all test concepts unless given")
    parser.add_argument("--batch-tokens", type=int, default=1024, help="that we hold at once; the others: 8192")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--reference-items", type=int, default=24, help="read by the full hidden states")
    parser.add_argument("--no-peak", action="store_true", help="leave the memory out")
    parser.add_argument("--transformer-lens-python", help="interpreter that can import transformer_lens")
    parser.add_argument("--peak-of", choices=("ours", "hidden states"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    reading = reading_of(options.model, options.direction, options.concepts, options.batch_tokens)
    if options.peak_of:
        print(json.dumps(peak_of_side(reading, options.peak_of)))
        return 0
    count = min(options.reference_items, len(reading.items))
    print(f"{options.model}, {options.direction}, {len(reading.items)} items, {reading.lens.n_layers} layers, ", end="")
    print(f"{torch.get_num_threads()} threads; sharing: {reading.scorer.sharing}", flush=True)
    readings = ours(reading)  # warm
    kept, values = reading.kept_tokens(readings), our_probabilities(readings)
    worst, worst_of_peer = difference_from_plain(reading, readings), None
    generating, _ = timed(reading.generate)
    python = options.transformer_lens_python
    if python is None:
        print("TransformerLens is left out: --transformer-lens-python is not given", flush=True)
    seconds: dict[str, list[float]] = defaultdict(list)
    for number in range(options.rounds):
        seconds["ours"].append(timed(ours, reading)[0])
        seconds["plain forward"].append(timed(deque, plain_forward(reading), 0)[0])
        slow, found = timed(hidden_states_lens, reading.loaded, reading.contexts[:count], kept[:count])
        seconds[f"hidden states of {count} items"].append(slow)
        worst = max(worst, float(np.abs(np.stack(found) - values[:count]).max()))
        if python is not None:
            peer, difference = transformer_lens(python, reading, readings)
            seconds["TransformerLens"].append(peer)
            worst_of_peer = max(worst_of_peer or 0.0, difference)
        line = ", ".join(f"{name} {times[-1]:.1f} s" for name, times in seconds.items())
        print(f"round {number}: {line}", flush=True)
    mine, plain, slow, *peers = (median(times) for times in seconds.values())
    print(f"generating the answers takes {generating:.1f} s, {generating / mine:.2f} times the reading", flush=True)
    peak_ratio = None
    if not options.no_peak:
        our_peak, their_peak = (peak_in_process(options, side) for side in ("ours", "hidden states"))
        if our_peak is not None and their_peak is not None:
            peak_ratio = round(their_peak / our_peak, 1)
            print(f"peak: ours {our_peak:.0f} MB, hidden states {their_peak:.0f} MB", flush=True)
    result = {
        "vs_plain_forward": round(mine / plain, 2),
        "vs_hidden_states": round(slow / count / (mine / len(reading.items)), 1),
        "vs_transformer_lens": round(peers[0] / mine, 1) if peers else None,
        "peak_ratio": peak_ratio,
        "max_abs_diff": worst,
        "max_abs_diff_transformer_lens": worst_of_peer,
    }
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
