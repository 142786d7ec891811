"""Interventions and lens directions against hand-written hooks and the model's whole head, for every family."""

import pytest
import torch

from pivotlens.errors import ConfigError
from pivotlens.models.intervention import Add, Project, orthogonal_to, unit_length
from pivotlens.models.lens import LogitLens, find_blocks
from pivotlens.models.load import LoadedModel
from pivotlens.models.prefix import SharedPrefix
from tiny_models import FAMILIES, tiny

pytestmark = pytest.mark.usefixtures("one_thread")

_IDS = torch.tensor([range(20, 34), range(40, 54)])


def logits(loaded: LoadedModel, ids: torch.Tensor = _IDS) -> torch.Tensor:
    with torch.inference_mode():
        return loaded.model(input_ids=ids, use_cache=False).logits


def by_hand(loaded: LoadedModel, layer: int, position: int, change, ids: torch.Tensor = _IDS) -> torch.Tensor:
    """Logits of a plain uncached pass in which one hook writes the changed states in place."""

    def hook(module, inputs, output):
        hidden = (output[0] if isinstance(output, tuple) else output).clone()
        for row in range(len(hidden)):
            hidden[row, position] = change(row, hidden[row, position])
        return (hidden, *output[1:]) if isinstance(output, tuple) else hidden

    handle = find_blocks(loaded)[2][layer - 1].register_forward_hook(hook)
    try:
        return logits(loaded, ids)
    finally:
        handle.remove()


def vectors(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_projection_is_what_a_hand_written_hook_does(name):
    loaded = tiny(name)
    lens = LogitLens(loaded)
    directions, origins = vectors(0, 2, 32), vectors(1, 2, 32)

    def change(row: int, state: torch.Tensor) -> torch.Tensor:
        unit = directions[row] / directions[row].norm()
        return state - 0.5 * ((state - origins[row]) @ unit) * unit

    clean = logits(loaded)
    for layer, position in ((2, -1), (3, 5)):
        with lens.intervene({layer: Project(directions, 0.5, origins)}, position):
            found = logits(loaded)
        torch.testing.assert_close(found, by_hand(loaded, layer, position, change), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(found[:, : position % 14], clean[:, : position % 14], rtol=1e-5, atol=1e-5)
        assert (found[:, position] - clean[:, position]).abs().max() > 1e-4


@pytest.mark.parametrize("name", FAMILIES)
def test_a_direction_is_the_gradient_through_the_whole_head(name):
    """The oracle: a state stands in for the last block's output, and the model's own forward decodes it."""
    loaded = tiny(name)
    lens = LogitLens(loaded)
    states = lens.block_states(input_ids=_IDS, use_cache=False)
    for layer in (1, 4):
        tokens = torch.tensor([7, 250])
        found = lens.token_vector(states[:, layer], tokens)
        assert found.shape == (2, 32)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found.norm(dim=-1), torch.ones(2))
        for row in range(2):
            state = states[row, layer].clone().requires_grad_()

            def hook(module, inputs, output, state=state):
                hidden = output[0] if isinstance(output, tuple) else output
                changed = torch.cat([hidden[:, :-1], state[None, None]], dim=1)
                return (changed, *output[1:]) if isinstance(output, tuple) else changed

            handle = find_blocks(loaded)[2][-1].register_forward_hook(hook)
            try:
                logit = loaded.model(input_ids=_IDS[:1], use_cache=False).logits[0, -1, tokens[row]]
            finally:
                handle.remove()
            torch.testing.assert_close(lens.decode_blocks(state.detach()[None])[0, tokens[row]], logit.detach().float())
            (gradient,) = torch.autograd.grad(logit, state)
            torch.testing.assert_close(found[row], gradient / gradient.norm(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["llama", "gemma3", "gpt2"])
def test_a_step_along_a_direction_raises_the_logit_most(name):
    lens = LogitLens(tiny(name))
    state = lens.block_states(input_ids=_IDS[:1], use_cache=False)[0, 3]
    direction = lens.token_vector(state[None], torch.tensor([60]))[0]
    step = 1e-2 * state.norm()

    def gain(unit: torch.Tensor) -> float:
        moved = lens.decode_blocks(torch.stack([state + step * unit, state - step * unit]))[:, 60]
        return float(moved[0] - moved[1])

    assert gain(direction) > 0
    assert all(gain(unit_length(vectors(seed, 32))) < gain(direction) for seed in range(20))
    # The norm only scales and centres, so the direction has nothing to project out of its own state.
    assert abs(float(direction @ state)) < 1e-3 * float(state.norm())


def test_a_projection_removes_the_component_and_nothing_else():
    states, directions = vectors(0, 5, 32), vectors(1, 5, 32)
    moved = Project(directions)(states)
    torch.testing.assert_close((moved * directions).sum(-1), torch.zeros(5), rtol=0, atol=1e-5)
    left = orthogonal_to(states, [directions])
    torch.testing.assert_close((moved * left).sum(-1), (states * left).sum(-1), rtol=1e-4, atol=1e-5)
    origin = vectors(2, 32)
    moved = Project(directions, 1.0, origin)(states)
    torch.testing.assert_close((moved * directions).sum(-1), (origin * directions).sum(-1), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(Project(3 * directions)(states), Project(directions)(states))


def test_orthogonal_to_several_is_orthogonal_to_each():
    one, *others = (vectors(seed, 4, 32) for seed in range(4))
    found = orthogonal_to(one, [*others, others[0], torch.zeros(4, 32)])
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(4))
    for other in others:
        torch.testing.assert_close((found * unit_length(other)).sum(-1), torch.zeros(4), rtol=0, atol=1e-6)
    basis = torch.linalg.qr(torch.stack([other[0] for other in others], dim=1).double()).Q
    slow = one[0].double() - basis @ (basis.T @ one[0].double())
    torch.testing.assert_close(found[0], (slow / slow.norm()).float())
    with pytest.raises(ConfigError, match="span"):
        orthogonal_to(one, [others[0], one + others[0]])


@pytest.mark.parametrize("name", ["llama", "gpt2", "bloom"])
def test_dose_0_is_bit_equal(name):
    loaded = tiny(name)
    before = logits(loaded)
    with LogitLens(loaded).intervene({2: Project(vectors(0, 2, 32), 0.0), 3: [Project(vectors(1, 32), 0.0)]}):
        assert torch.equal(logits(loaded), before)
    assert torch.equal(logits(loaded), before)


def test_several_interventions_run_in_order_and_nest_from_the_outside_in():
    loaded = tiny("llama")
    lens = LogitLens(loaded)
    project, add = Project(vectors(0, 32)), Add(vectors(1, 32))
    expected = by_hand(loaded, 2, -1, lambda row, state: add(project(state[None]))[0])
    with lens.intervene({2: [project, add]}):
        torch.testing.assert_close(logits(loaded), expected)
    with lens.intervene({2: project}), lens.intervene({2: add}):
        torch.testing.assert_close(logits(loaded), expected)
    with lens.intervene({2: lambda states: add(project(states))}):
        torch.testing.assert_close(logits(loaded), expected)
    with lens.intervene({2: add}), lens.intervene({2: project}):
        assert (logits(loaded) - expected).abs().max() > 1e-3


def test_the_model_is_left_as_it_was_after_an_error():
    loaded = tiny("llama")
    lens = LogitLens(loaded)
    before = logits(loaded)

    def hooks() -> list[int]:  # transformers leaves some of its own where hidden states were asked for
        return [len(module._forward_hooks) for module in loaded.model.modules()]

    hooks_before = hooks()

    def fail(states: torch.Tensor) -> torch.Tensor:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), lens.intervene({1: Add(vectors(0, 32)), 2: fail}):
        logits(loaded)
    assert torch.equal(logits(loaded), before)
    assert hooks() == hooks_before


@pytest.mark.parametrize("name", ["llama", "gemma3", "falcon"])
def test_a_cached_beginning_changes_nothing(name):
    loaded = tiny(name)
    lens = LogitLens(loaded)
    contexts = [(*range(20, 34), 40, 41), (*range(20, 34), 42, 43)]
    add = Add(vectors(0, 2, 32))
    ids = torch.tensor(contexts)
    (batch,) = SharedPrefix(loaded, contexts, 4096).batches()
    assert batch.past == 14
    with torch.inference_mode(), lens.intervene({2: add}, position=0):
        found = loaded.model(**batch.arguments()).logits
    expected = by_hand(loaded, 2, 14, lambda row, state: state + add.vector[row], ids)
    torch.testing.assert_close(found, expected[:, 14:], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("interventions", "position", "words"),
    [
        ({0: Add(vectors(0, 32))}, -1, ["layer 0", "1 to 4"]),
        ({5: Add(vectors(0, 32))}, -1, ["layer 5"]),
        ({2: Add(vectors(0, 32))}, 14, ["position 14", "14 positions"]),
        ({2: Add(vectors(0, 3, 32))}, -1, ["(3, 32)", "(2, 32)"]),
        ({2: Project(vectors(0, 16))}, -1, ["(16,)"]),
        ({2: Project(torch.zeros(32))}, -1, ["length 0"]),
        ({2: lambda states: states[:1]}, -1, ["layer 2", "(1, 32)"]),
        ({2: lambda states: None}, -1, ["layer 2", "NoneType"]),
        ({2: "x"}, -1, ["layer 2", "'x'"]),
        ({2: 5}, -1, ["layer 2", "5"]),
    ],
)
def test_what_does_not_fit_is_named(interventions, position, words):
    loaded = tiny("llama")
    with pytest.raises(ConfigError) as error, LogitLens(loaded).intervene(interventions, position):
        logits(loaded)
    assert all(word in str(error.value) for word in words)
