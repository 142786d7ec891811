"""One batch of items under every condition: the pivot taken out, and its controls (docs/method.md#ablation).

The pivot's vector at a layer is the gradient of its lens logit with respect to the block's raw output, made
orthogonal to those of the target and the source. Through a norm that only scales and centres, that gradient is
orthogonal to the state at which it is computed, so nothing would be left to project out of the state itself. What is
taken out is the component in which the state differs from the mean state of the direction's other items: at dose 1
the item's component along the pivot becomes that of the other items; at dose d it is moved d times as far.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from pivotlens.ablate.contexts import EncodedContexts, Outcome, divergence
from pivotlens.ablate.items import AblatedItem, Controls
from pivotlens.ablate.texts import PlainTexts
from pivotlens.arrays import Booleans, Floats
from pivotlens.models.encoding import Ids
from pivotlens.models.intervention import Add, Intervention, Project, orthogonal_to, unit_length
from pivotlens.statistics.seeding import named_generator
from pivotlens.text import Direction

ByLayer = dict[int, torch.Tensor]


@dataclass
class Moved:
    """An intervention that remembers what it did.

    Attributes:
        inner: The intervention.
        change: What it added to the states, shape ``(batch, hidden)``, after it was run.
        after: The states it handed on.
    """

    inner: Intervention
    change: torch.Tensor = field(default_factory=lambda: torch.empty(0))
    after: torch.Tensor = field(default_factory=lambda: torch.empty(0))

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        """Intervene and remember."""
        moved = self.inner(states)
        self.after = moved.float().cpu()
        self.change = self.after - states.float().cpu()
        return moved


@dataclass(frozen=True)
class Case:
    """An item ready to be run.

    Attributes:
        context: Token ids up to the position that is read.
        answer: Those of the target from its first content piece on.
        other_answer: Those of the other item's target after this item's prompt.
        before: Log-probability of the bare space pieces before the position, which no intervention changes.
    """

    item: AblatedItem
    controls: Controls
    context: Ids
    answer: Ids
    other_answer: Ids
    before: float


@dataclass(frozen=True)
class Result:
    """A batch under one condition; arrays have shape ``(n,)``, None where a column does not apply.

    Attributes:
        condition: Its name.
        repeat: Which of several draws.
        dose: Of the pivot's component that is taken out.
        layers: The layers changed.
        tokens: Whose vector was moved; None where it is no token's.
        others: The other concept of each item, where there is one.
        clean: Log-probability of the answer without intervention.
        logprob: With it.
        kl: KL(clean ‖ ablated) of the token that is read, in nats.
        norm: Mean over the layers of ‖Δh‖.
        relative: Mean over the layers of ‖Δh‖ / ‖h‖.
        cosine: Mean over the layers of the cosine with the item's own vector.
        pivot_clean: Lens probability of the own pivot at the last layer changed, without intervention.
        pivot: With it.
        valid: Which items the condition applies to.
    """

    condition: str
    layers: Sequence[int]
    clean: Floats
    logprob: Floats
    kl: Floats
    norm: Floats
    relative: Floats
    valid: Booleans
    repeat: int = 0
    dose: float = 1.0
    tokens: Sequence[int | None] | None = None
    others: Sequence[str | None] | None = None
    cosine: Floats | None = None
    pivot_clean: Floats | None = None
    pivot: Floats | None = None


class Batch:
    """Items of one context length under the conditions of a window.

    Args:
        encoded: Their contexts.
        cases: The items, in the order of the contexts.
        means: Mean state of the direction's other items at every block, shape ``(n, blocks, hidden)``; index 0 is
            block 1.
        direction: The direction.
        seed: Of the random vectors.
    """

    def __init__(
        self, encoded: EncodedContexts, cases: Sequence[Case], means: torch.Tensor, direction: Direction, seed: int
    ) -> None:
        self.encoded = encoded
        self.cases = cases
        self.direction = direction
        self.seed = seed
        self._lens = encoded.lens
        self.means = means
        blocks = range(1, means.shape[1] + 1)
        self._states = encoded.states(blocks)
        self._answers = [case.answer for case in cases]
        self.clean = encoded.measure(self._answers, {})
        self._units: dict[tuple[str, int], torch.Tensor] = {}
        # Where a control is absent its place is taken by the pivot, and the row is left out.
        self._tokens = {
            "pivot": [case.item.pivot for case in cases],
            "target": [case.item.target for case in cases],
            "source": [case.item.source for case in cases],
            "matched": [_or(case.controls.matched, case) for case in cases],
            "synonym": [_or(case.controls.synonym, case) for case in cases],
            "unrelated": [_or(case.controls.unrelated, case) for case in cases],
            "other": [(case.controls.other or case.item).pivot for case in cases],
            "other_target": [(case.controls.other or case.item).target for case in cases],
            "other_source": [(case.controls.other or case.item).source for case in cases],
        }

    # -- vectors

    def _gradient(self, name: str, layer: int) -> torch.Tensor:
        if (name, layer) not in self._units:
            ids = torch.tensor(self._tokens[name])
            dtype = self._lens.loaded.dtype
            self._units[name, layer] = self._lens.token_vector(self._states[layer].to(dtype), ids)
        return self._units[name, layer]

    def unit(self, name: str, layer: int, apart: Sequence[str] = ("target", "source")) -> torch.Tensor:
        """Return the unit vector of each item's token of a name, orthogonal to those of other names."""
        return orthogonal_to(self._gradient(name, layer), [self._gradient(other, layer) for other in apart])

    def _random(self, layer: int, repeat: int) -> torch.Tensor:
        # The same draw at every layer of a window, so that it adds up as a token's vector does.
        drawn = np.stack(
            [
                named_generator(
                    self.seed, "random", *self.direction, case.item.concept.concept_id, repeat
                ).standard_normal(self.means.shape[-1])
                for case in self.cases
            ]
        )
        vectors = unit_length(torch.from_numpy(drawn).float()).to(self._states[layer].device)
        return orthogonal_to(vectors, [self._gradient("target", layer), self._gradient("source", layer)])

    def projection(self, layer: int, dose: float = 1.0) -> Project:
        """Return what takes the pivot out at a layer."""
        state, mean = self._states[layer], self.means[:, layer - 1]
        # The origin moves with the dose instead of the edit: at several layers in turn the component stays there.
        return Project(self.unit("pivot", layer), origin=state - dose * (state - mean))

    # -- conditions

    def removal(self, layers: Sequence[int], *, condition: str = "own", dose: float = 1.0) -> tuple[Result, ByLayer]:
        """Take the pivot out at the layers of a window; also return Δh by layer."""
        edits = {layer: Moved(self.projection(layer, dose)) for layer in layers}
        outcome = self.encoded.measure(self._answers, edits)
        last = layers[-1]
        changes = {layer: edit.change for layer, edit in edits.items()}
        result = replace(
            self._result(condition, layers, outcome, changes),
            dose=dose,
            tokens=self._tokens["pivot"],
            pivot_clean=self._pivot_probability(self._states[last]),
            pivot=self._pivot_probability(edits[last].after),
        )
        return result, changes

    def equally_far(self, name: str, layers: Sequence[int], norms: ByLayer, repeat: int | None = None) -> Result:
        """Move the states away from another token, or along a random vector, as far as the removal moved them."""
        # The target's own direction is left alone by all but the positive control, which is that direction.
        apart = [side for side in ("target", "source") if side != name]
        units = {
            layer: self._random(layer, repeat) if repeat is not None else self.unit(name, layer, apart)
            for layer in layers
        }
        changes = {layer: -norms[layer][:, None] * units[layer] for layer in layers}
        outcome = self.encoded.measure(self._answers, {layer: Add(changes[layer]) for layer in layers})
        cosine = [(units[layer] * self.unit("pivot", layer)).sum(-1) for layer in layers]
        result = replace(self._result(name, layers, outcome, changes), cosine=_numbers(torch.stack(cosine).mean(0)))
        if repeat is not None:
            return replace(result, repeat=repeat)
        others = self._others() if name == "other" else None
        valid = result.valid if name == "target" else self._valid(name)
        return replace(result, tokens=self._tokens[name], others=others, valid=valid)

    def conditions(
        self, window: Sequence[int], early: Sequence[int], doses: Sequence[float], random_vectors: int
    ) -> Iterator[Result]:
        """Yield the items under every condition; the removal, random vectors and the target's own where ``direct``."""
        for dose in doses:
            result, changes = self.removal(window, dose=dose)
            yield result
            if dose == 1:
                norms = {layer: change.norm(dim=-1) for layer, change in changes.items()}
                whole = torch.stack(list(changes.values())).sum(0)
        for repeat in range(random_vectors):
            yield self.equally_far("random", window, norms, repeat)
        yield self.equally_far("target", window, norms)
        if self.cases[0].item.behaviour == "direct":
            return
        for name in ("matched", "other", "synonym"):
            yield self.equally_far(name, window, norms)
        if early:
            yield self.removal(early, condition="early")[0]
        # All of Δh right before the final norm: what remains of the effect if no later block had read the states.
        last = self.means.shape[1]
        outcome = self.encoded.measure(self._answers, {last: Add(whole)})
        yield replace(self._result("last_layer", [last], outcome, {last: whole}), tokens=self._tokens["pivot"])
        yield from self._swaps(window, norms)
        if len(self.cases) > 1:
            yield self._on_unrelated_items(window)

    def _swaps(self, window: Sequence[int], norms: ByLayer) -> Iterator[Result]:
        answers = [case.other_answer for case in self.cases]
        clean = self.encoded.measure(answers, {})
        apart = ("target", "source", "other_target", "other_source")
        for condition, name in (("swap", "other"), ("swap_unrelated", "unrelated")):
            moved = {}
            for layer in window:
                added = norms[layer][:, None] * self.unit(name, layer, apart)
                moved[layer] = Moved(_both(self.projection(layer), Add(added)))
            outcome = self.encoded.measure(answers, moved)
            changes = {layer: edit.change for layer, edit in moved.items()}
            yield replace(
                self._result(condition, window, outcome, changes, clean),
                tokens=self._tokens[name],
                others=self._others(),
                valid=self._valid("other") & self._valid("unrelated"),
            )

    def _on_unrelated_items(self, window: Sequence[int]) -> Result:
        """Take each item's pivot out while the model reads the next item of the batch."""
        edits = {
            layer: Moved(Project(self.unit("pivot", layer).roll(1, 0), origin=self.means[:, layer - 1]))
            for layer in window
        }
        outcome = self.encoded.measure(self._answers, edits)
        ids = [case.item.concept.concept_id for case in self.cases]
        others = [*ids[-1:], *ids[:-1]]
        pivots = self._tokens["pivot"]
        changes = {layer: edit.change for layer, edit in edits.items()}
        return replace(
            self._result("unrelated_item", window, outcome, changes),
            tokens=[*pivots[-1:], *pivots[:-1]],
            others=others,
            valid=np.array([one != other for one, other in zip(ids, others, strict=True)]),
        )

    def on_texts(self, texts: PlainTexts, window: Sequence[int], first: int) -> Result:
        """Take each item's pivot out while the model reads a plain text.

        Args:
            texts: The texts.
            window: Layers.
            first: Number of the first item among all, so that the items take the texts in turn.
        """
        n, count = len(self.cases), len(texts.encoded)
        clean, logprob, kl, norm, relative = np.zeros((5, n))
        for text in range(count):
            rows = [row for row in range(n) if (first + row) % count == text]
            if not rows:
                continue
            repeated = texts.encoded[text].repeated(len(rows))
            answers = [texts.following[text]] * len(rows)
            before = repeated.measure(answers, {})
            edits = {
                layer: Moved(Project(self.unit("pivot", layer)[rows], origin=texts.mean_of_others(text, layer)))
                for layer in window
            }
            after = repeated.measure(answers, edits)
            norms = torch.stack([edits[layer].change.norm(dim=-1) for layer in window])
            sizes = torch.stack([texts.states(text, layer).norm() for layer in window])[:, None]
            clean[rows], logprob[rows], kl[rows] = before.logprob, after.logprob, divergence(before, after)
            norm[rows], relative[rows] = _numbers(norms.mean(0)), _numbers((norms / sizes).mean(0))
        return Result(
            condition="unrelated_text",
            layers=window,
            clean=clean,
            logprob=logprob,
            kl=kl,
            norm=norm,
            relative=relative,
            valid=np.ones(n, dtype=np.bool_),
            tokens=self._tokens["pivot"],
        )

    # -- what came of it

    def _result(
        self,
        condition: str,
        layers: Sequence[int],
        outcome: Outcome,
        changes: ByLayer,
        clean: Outcome | None = None,
    ) -> Result:
        """Return what is known under any condition, of all items; the caller adds what applies to its own."""
        clean = clean or self.clean
        before = np.array([case.before for case in self.cases])
        norms = torch.stack([changes[layer].norm(dim=-1) for layer in layers])
        sizes = torch.stack([self._states[layer].norm(dim=-1) for layer in layers])
        return Result(
            condition=condition,
            layers=layers,
            clean=before + clean.logprob,
            logprob=before + outcome.logprob,
            kl=divergence(clean, outcome),
            norm=_numbers(norms.mean(0)),
            relative=_numbers((norms / sizes).mean(0)),
            valid=np.ones(len(self.cases), dtype=np.bool_),
        )

    def _pivot_probability(self, states: torch.Tensor) -> Floats:
        logits = self._lens.decode_blocks(states.to(self._lens.loaded.dtype))
        ids = torch.tensor(self._tokens["pivot"], device=logits.device)
        return _numbers(torch.softmax(logits, dim=-1).gather(-1, ids[:, None])[:, 0])

    def _valid(self, name: str) -> Booleans:
        return np.array([getattr(case.controls, name) is not None for case in self.cases], dtype=np.bool_)

    def _others(self) -> list[str | None]:
        others = [case.controls.other for case in self.cases]
        return [None if other is None else other.concept.concept_id for other in others]


def _or(token: int | None, case: Case) -> int:
    return case.item.pivot if token is None else token


def _both(first: Intervention, second: Intervention) -> Intervention:
    return lambda states: second(first(states))


def _numbers(values: torch.Tensor) -> Floats:
    return values.cpu().double().numpy()
