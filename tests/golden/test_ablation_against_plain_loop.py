"""The ablation's cached, batched passes against uncached ones with hand-written hooks, and its conditions' geometry."""

import numpy as np
import pytest
import torch

from pivotlens.ablate.contexts import can_pad, divergence, encode_contexts
from pivotlens.ablate.items import AblatedItem, Controls
from pivotlens.ablate.removal import Batch, Case
from pivotlens.artifacts import Concept
from pivotlens.models.intervention import Add, Project
from pivotlens.models.lens import LogitLens, find_blocks
from pivotlens.text import Direction
from tiny_models import FAMILIES, tiny

pytestmark = pytest.mark.usefixtures("one_thread")

_PREFIX = tuple(range(20, 32))
_CONTEXTS = [(*_PREFIX, 40, 41), (*_PREFIX, 42), (*_PREFIX, 43, 44), (*_PREFIX, 45, 46), (*_PREFIX, 47)]
_ANSWERS = [(60, 61, 62), (63,), (64, 65), (66,), (67, 68)]


def vectors(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def plain(loaded, context, answer, changes):
    """One uncached pass an item; ``changes`` maps a layer to a function of the state at the context's last token."""
    handles = []
    for layer, change in changes.items():

        def hook(module, inputs, output, change=change):
            hidden = (output[0] if isinstance(output, tuple) else output).clone()
            hidden[0, len(context) - 1] = change(hidden[0, len(context) - 1])
            return (hidden, *output[1:]) if isinstance(output, tuple) else hidden

        handles.append(find_blocks(loaded)[2][layer - 1].register_forward_hook(hook))
    try:
        with torch.inference_mode():
            logits = loaded.model(input_ids=torch.tensor([context + answer]), use_cache=False).logits[0]
    finally:
        for handle in handles:
            handle.remove()
    log_q = torch.log_softmax(logits.double(), dim=-1)
    total = sum(float(log_q[len(context) - 1 + place, token]) for place, token in enumerate(answer))
    return total, log_q[len(context) - 1]


def edits(direction, added, kept):
    """Take a direction out after block 2, and add a vector after block 3."""
    unit = direction / direction.norm()

    def project(state):
        kept.append(state.clone())
        return state - (state @ unit) * unit

    return {2: project, 3: lambda state: state + added}


@pytest.mark.parametrize(
    ("name", "share_cache"), [*((name, True) for name in FAMILIES), ("llama", False), ("mpt", False)]
)
def test_passes_are_the_plain_ones(name, share_cache):
    loaded = tiny(name)
    lens = LogitLens(loaded)
    directions, added = vectors(0, 5, 32), vectors(1, 5, 32)
    rows = []
    pad = share_cache and can_pad(lens, _CONTEXTS, (60, 61), 4096)
    for one in encode_contexts(lens, _CONTEXTS, 4096, share_cache=share_cache, pad=pad):
        rows += one.rows
        answers = [_ANSWERS[row] for row in one.rows]
        interventions = {2: Project(directions[one.rows]), 3: Add(added[one.rows])}
        clean, outcome = one.measure(answers, {}), one.measure(answers, interventions)
        kl = divergence(clean, outcome)
        states = one.states([2])[2]
        for place, row in enumerate(one.rows):
            kept: list[torch.Tensor] = []
            changes = edits(directions[row], added[row], kept)
            before, log_p = plain(loaded, _CONTEXTS[row], _ANSWERS[row], {})
            after, log_q = plain(loaded, _CONTEXTS[row], _ANSWERS[row], changes)
            assert clean.logprob[place] == pytest.approx(before, abs=1e-4)
            assert outcome.logprob[place] == pytest.approx(after, abs=1e-4)
            assert abs(after - before) > 1e-4
            assert kl[place] == pytest.approx(float((log_p.exp() * (log_p - log_q)).sum()), abs=1e-4)
            torch.testing.assert_close(states[place], kept[0], rtol=1e-4, atol=1e-4)
    assert sorted(rows) == list(range(5))


def test_contexts_of_several_lengths_share_a_batch_where_padding_changes_nothing():
    def sizes(name, batch_tokens=4096):
        lens = LogitLens(tiny(name))
        pad = can_pad(lens, _CONTEXTS, (60, 61), batch_tokens)
        return [len(one.rows) for one in encode_contexts(lens, _CONTEXTS, batch_tokens, share_cache=True, pad=pad)]

    assert sizes("llama") == [5]
    assert sizes("llama", 30) == [2, 2, 1]
    assert sizes("gemma3") == [2, 3]  # a window of 6
    assert sizes("gpt_neo") == [2, 3]  # the same, by another name
    assert sizes("mpt") == [2, 3]  # distances are counted by place


def test_a_repeated_context_is_the_one_it_was():
    lens = LogitLens(tiny("llama"))
    one = next(encode_contexts(lens, _CONTEXTS[:1], 4096, share_cache=True))
    alone = one.measure([(60, 61)], {}).logprob
    np.testing.assert_allclose(one.repeated(3).measure([(60, 61)] * 3, {}).logprob, alone.repeat(3), atol=1e-5)


@pytest.fixture(scope="module")
def batch():
    """Three items of one length; the last has no controls but random directions."""
    lens = LogitLens(tiny("gemma3"))
    contexts = [context for context in _CONTEXTS if len(context) == 14]
    tokens = [(100, 110, 120), (101, 111, 121), (102, 112, 122)]
    made = [
        AblatedItem(Concept(name, "test", True, "noun", {}, {}, (), ()), "semantic_pivot", "test", True, 3,
                    pivot, True, source, target, 0)
        for name, (pivot, source, target) in zip("abc", tokens, strict=True)
    ]  # fmt: skip
    cases = [
        Case(made[0], Controls(130, made[1], 131, 132), contexts[0], (120, 61), (121, 62), -0.5),
        Case(made[1], Controls(133, made[2], 134, None), contexts[1], (121,), (122,), 0.0),
        Case(made[2], Controls(), contexts[2], (122,), (122,), 0.0),
    ]
    (encoded,) = encode_contexts(lens, contexts, 4096, share_cache=True)
    return Batch(encoded, cases, vectors(5, 3, 4, 32), Direction("fr", "zh"), 0)


def test_the_removal_puts_the_component_where_the_others_have_theirs(batch):
    window = (2, 3)
    result, changes = batch.removal(window)
    lens = batch.encoded.lens
    for row, case in enumerate(batch.cases):
        units = {layer: batch.unit("pivot", layer)[row] for layer in window}
        for layer in window:
            state = batch.encoded.states([layer])[layer][row]
            for token in (case.item.target, case.item.source):
                other = lens.token_vector(state[None], torch.tensor([token]))[0]
                assert abs(float(units[layer] @ other)) < 1e-5
        mean = {layer: batch.means[row, layer - 1] for layer in window}
        edits = {layer: lambda h, u=units[layer], m=mean[layer]: h - ((h - m) @ u) * u for layer in window}
        expected, _ = plain(lens.loaded, case.context, case.answer, edits)
        assert result.logprob[row] == pytest.approx(expected + case.before, abs=1e-4)
        assert result.clean[row] == pytest.approx(plain(lens.loaded, case.context, case.answer, {})[0] + case.before)
    # At the first layer dose d moves d times as far, and dose 0.5 half of the way.
    half = batch.removal(window, dose=0.5)[1]
    torch.testing.assert_close(2 * half[2], changes[2], rtol=1e-4, atol=1e-5)


def test_a_dose_holds_the_component_at_every_layer(batch):
    kept = {}

    def keep(layer):
        return lambda state: kept.setdefault(layer, state.clone())

    for dose in (0.5, 2.0):
        kept.clear()
        edits = {layer: [batch.projection(layer, dose), keep(layer)] for layer in (2, 3)}
        batch.encoded.measure([case.answer for case in batch.cases], edits)
        for layer in (2, 3):
            unit, state = batch.unit("pivot", layer), batch.encoded.states([layer])[layer]
            mean = batch.means[:, layer - 1]
            wanted = ((1 - dose) * state + dose * mean) * unit
            torch.testing.assert_close((kept[layer] * unit).sum(-1), wanted.sum(-1), rtol=1e-3, atol=1e-4)


def test_controls_move_the_states_as_far_as_the_removal(batch):
    results = list(batch.conditions((2, 3), (1,), (0.5, 1.0, 2.0), 2))
    own = next(one for one in results if (one.condition, one.dose) == ("own", 1.0))
    by_name = {}
    for one in results:
        by_name.setdefault(one.condition, []).append(one)
    assert {name: len(found) for name, found in by_name.items()} == {
        "own": 3, "random": 2, "target": 1, "matched": 1, "other": 1, "synonym": 1, "early": 1, "last_layer": 1,
        "swap": 1, "swap_unrelated": 1, "unrelated_item": 1,
    }  # fmt: skip
    for name in ("random", "target", "matched", "other", "synonym"):
        for one in by_name[name]:
            np.testing.assert_allclose(one.norm, own.norm, rtol=1e-4)
            assert one.layers == (2, 3)
    assert not np.allclose(by_name["random"][0].logprob, by_name["random"][1].logprob)
    assert by_name["matched"][0].valid.tolist() == [True, True, False]
    assert by_name["synonym"][0].valid.tolist() == [True, False, False]
    assert by_name["swap"][0].valid.tolist() == [True, True, False]
    assert by_name["early"][0].layers == (1,)
    assert by_name["last_layer"][0].layers == [4]
    for one in results:
        assert np.isfinite(one.logprob).all()
        assert (one.kl >= -1e-6).all()
    # The swap's clean value is the other item's target after this item's prompt.
    case = batch.cases[0]
    expected, _ = plain(batch.encoded.lens.loaded, case.context, case.other_answer, {})
    assert by_name["swap"][0].clean[0] == pytest.approx(expected + case.before, abs=1e-4)


def test_the_positive_control_moves_away_from_the_target_itself(batch):
    """What no other control may touch: the target's own direction, apart from the source's alone."""
    results = {one.condition: one for one in batch.conditions((2, 3), (1,), (1.0,), 1)}
    own, target = results["own"], results["target"]
    assert target.valid.all()
    assert target.tokens == [case.item.target for case in batch.cases]
    _, changes = batch.removal((2, 3))
    for row, case in enumerate(batch.cases):
        units = {layer: batch.unit("target", layer, ("source",))[row] for layer in (2, 3)}
        moves = {layer: changes[layer][row].norm() * units[layer] for layer in (2, 3)}
        edits = {layer: lambda h, move=moves[layer]: h - move for layer in (2, 3)}
        expected, _ = plain(batch.encoded.lens.loaded, case.context, case.answer, edits)
        assert target.logprob[row] == pytest.approx(expected + case.before, abs=1e-4)
    assert (target.logprob < own.clean).all()


def test_a_swap_removes_one_pivot_and_adds_the_other_as_far(batch):
    lens = batch.encoded.lens
    _, changes = batch.removal((3,))
    results = {one.condition: one for one in batch.conditions((3,), (), (1.0,), 1)}
    case, row = batch.cases[0], 0
    unit = batch.unit("pivot", 3)[row]
    added = batch.unit("other", 3, ("target", "source", "other_target", "other_source"))[row]
    norm, mean = changes[3][row].norm(), batch.means[row, 2]
    expected, _ = plain(
        lens.loaded, case.context, case.other_answer, {3: lambda h: h - ((h - mean) @ unit) * unit + norm * added}
    )
    assert results["swap"].logprob[row] == pytest.approx(expected + case.before, abs=1e-4)
    assert "early" not in results


def test_direct_items_are_held_against_random_vectors_and_the_target(batch):
    from dataclasses import replace

    cases = [replace(case, item=replace(case.item, behaviour="direct")) for case in batch.cases]
    direct = Batch(batch.encoded, cases, batch.means, Direction("fr", "zh"), 0)
    assert [one.condition for one in direct.conditions((2,), (1,), (1.0,), 2)] == ["own", "random", "random", "target"]
