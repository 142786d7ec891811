"""The tuned lens: it begins as the raw one, its gradient is the model's own, and it is kept to the last bit."""

import pytest
import torch

from pivotlens.errors import ArtifactError, ConfigError
from pivotlens.lens.reading import damping_curve, distances, layer_states, spread_positions
from pivotlens.lens.training import BETAS, CandidateTokens, Training, kept, token_mass
from pivotlens.models.head_slices import HeadSlices
from pivotlens.models.lens import LogitLens
from pivotlens.models.load import LoadedModel
from pivotlens.models.resolve import ResolvedModel
from pivotlens.models.tuned_lens import TunedLens
from tiny_models import VOCABULARY, tiny

pytestmark = pytest.mark.usefixtures("one_thread")

# Plain, soft-capped, scaled, with a bias in the norm, and with positions that are not rotary.
FAMILIES = ("llama", "gemma3", "cohere", "granite", "gpt2", "bloom")
SEQUENCES = [tuple(range(20, 34)), tuple(range(60, 49, -1)), tuple(range(100, 120))]


def states_of(lens: LogitLens) -> torch.Tensor:
    return torch.cat(layer_states(lens, SEQUENCES, 4096))


def some_lens(loaded: LoadedModel, hidden: int = 32, scale: float = 0.05) -> TunedLens:
    generator = torch.Generator().manual_seed(3)
    plain = TunedLens.identity(loaded, 5, hidden)
    return TunedLens(
        torch.randn(plain.weights.shape, generator=generator) * scale,
        torch.randn(plain.biases.shape, generator=generator) * scale,
        plain.model,
        plain.model_fingerprint,
    )


@pytest.mark.parametrize("name", FAMILIES)
def test_states_at_every_position_are_those_of_each_prompt_alone(name):
    lens = LogitLens(tiny(name))
    found = layer_states(lens, SEQUENCES, batch_tokens=40)  # two batches, one of them padded
    for ids, states in zip(SEQUENCES, found, strict=True):
        assert states.shape == (len(ids) - 1, 5, 32)
        for end in (2, 5, len(ids)):
            alone = lens.states(input_ids=torch.tensor([ids[:end]]), use_cache=False)[0]
            torch.testing.assert_close(lens.normed(states[end - 2]), alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", FAMILIES)
def test_before_training_it_is_the_raw_lens_exactly(name):
    lens = LogitLens(tiny(name))
    states = states_of(lens)
    begun = Training.begin(states).lens(lens.loaded)
    for tuned in (begun, TunedLens.identity(lens.loaded, 5, 32)):
        for layer in range(5):
            assert torch.equal(tuned.translate(states[:, layer], layer), states[:, layer])
        kl, agrees = distances(lens, tuned, states)
        assert (kl[..., 0] == kl[..., 1]).all()
        assert (agrees[..., 0] == agrees[..., 1]).all()
        assert (kl[:, -1] == 0).all()
        assert (kl[:, :-1].mean(axis=0) > 1e-6).all()


def test_the_last_layer_is_never_translated():
    lens = some_lens(tiny("llama"))
    states = torch.randn(3, 32)
    assert lens.translate(states, 4) is states
    assert not torch.equal(lens.translate(states, 3), states)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_step_follows_the_gradient_of_the_models_own_head(name):
    """Autograd through the whole model, its head's input swapped, on the map as it is published."""
    loaded = tiny(name)
    lens = LogitLens(loaded)
    states = states_of(lens)
    training = Training.begin(states)
    every = CandidateTokens.of(token_mass(lens, states), 0, 0).draw(0)
    with HeadSlices(lens.head).open(grad=True) as decode:
        losses = training.train_step(lens, decode, states, every, 0.01)
    raw, _ = distances(lens, TunedLens.identity(loaded, 5, 32), states)
    assert losses == pytest.approx(raw[:, :4, 0].mean(axis=0).tolist(), rel=1e-4, abs=1e-6)

    def own_logits(normed: torch.Tensor) -> torch.Tensor:
        handle = lens.head.module.register_forward_pre_hook(lambda module, inputs: (normed[None], *inputs[1:]))
        try:
            return loaded.model(input_ids=torch.tensor([[0]]), use_cache=False).logits[0].float()
        finally:
            handle.remove()

    with torch.no_grad():
        log_p = torch.log_softmax(own_logits(lens.normed(states[:, -1])), dim=-1)
    for layer in range(4):
        weight, bias = torch.zeros(32, 32, requires_grad=True), torch.zeros(32, requires_grad=True)
        h = states[:, layer]
        inward = (h - training.mean[layer]) / training.spread[layer]
        log_q = torch.log_softmax(
            own_logits(lens.normed(h + training.size[layer] * (inward @ weight.T + bias))), dim=-1
        )
        torch.nn.functional.kl_div(log_q, log_p, log_target=True, reduction="batchmean").backward()
        for parameter, expected in zip(training.parameters[2 * layer :], (weight.grad, bias.grad), strict=False):
            # The running mean begins at zero, so after one step it holds this share of the gradient.
            found = training.optimiser.state[parameter]["exp_avg"] / (1 - BETAS[0])
            largest = expected.abs().max()
            torch.testing.assert_close(found / largest, expected / largest, rtol=1e-3, atol=1e-3)


def test_steps_are_those_of_the_paper():
    """Adam as Kingma and Ba (2015) write it, over layers that move one at a time and a rate that falls."""
    lens = LogitLens(tiny("llama"))
    states = states_of(lens)
    training = Training.begin(states)
    every = CandidateTokens.of(token_mass(lens, states), 0, 0).draw(0)
    twin = [parameter.detach().clone() for parameter in training.parameters]
    first, second = ([torch.zeros_like(values) for values in twin] for _ in range(2))
    gradients: list[torch.Tensor] = []
    training.optimiser.register_step_pre_hook(
        lambda *_: gradients.extend(
            parameter.grad.clone() for parameter in training.parameters if parameter.grad is not None
        )
    )
    with HeadSlices(lens.head).open(grad=True) as decode:
        for step in range(1, 6):
            gradients.clear()
            rate = 0.01 * (1 - step / 6)
            training.train_step(lens, decode, states, every, rate)
            assert len(gradients) == len(twin)
            for values, mean, square, gradient in zip(twin, first, second, gradients, strict=True):
                mean.copy_(BETAS[0] * mean + (1 - BETAS[0]) * gradient)
                square.copy_(BETAS[1] * square + (1 - BETAS[1]) * gradient**2)
                values -= rate * (mean / (1 - BETAS[0] ** step)) / ((square / (1 - BETAS[1] ** step)).sqrt() + 1e-8)
    for found, expected in zip(training.parameters, twin, strict=True):
        torch.testing.assert_close(found.detach(), expected)
    assert torch.equal(training.weights[1], training.parameters[2])
    assert torch.equal(training.biases[1], training.parameters[3])


def test_the_trained_map_is_the_same_in_the_models_own_units():
    lens = LogitLens(tiny("gpt2"))
    states = states_of(lens)
    training = Training.begin(states)
    generator = torch.Generator().manual_seed(1)
    training.weights += torch.randn(training.weights.shape, generator=generator) * 0.1
    training.biases += torch.randn(training.biases.shape, generator=generator) * 0.1
    tuned = training.lens(lens.loaded)
    for layer in range(4):
        h = states[:, layer]
        inward = (h - training.mean[layer]) / training.spread[layer]
        expected = h + training.size[layer] * (inward @ training.weights[layer].T + training.biases[layer])
        torch.testing.assert_close(tuned.translate(h, layer), expected, rtol=1e-4, atol=1e-4)


# -- candidates


def test_candidates_hold_the_probable_tokens_and_stand_for_all():
    mass = torch.linspace(1, 0, VOCABULARY, dtype=torch.float64)
    candidates = CandidateTokens.of(mass, 40, seed=5)
    assert candidates.probable.tolist() == list(range(20))
    tokens, each = candidates.draw(3)
    assert len(set(tokens.tolist())) == 40
    assert each.exp().sum() == pytest.approx(VOCABULARY)
    assert torch.equal(candidates.draw(3)[0], tokens)
    assert not torch.equal(candidates.draw(4)[0], tokens)
    for n in (0, VOCABULARY, VOCABULARY + 1):
        tokens, each = CandidateTokens.of(mass, n, 0).draw(0)
        assert tokens.tolist() == list(range(VOCABULARY))
        assert not each.any()


def test_drawn_candidates_estimate_the_normaliser():
    logits = torch.randn(VOCABULARY, generator=torch.Generator().manual_seed(0)).double()
    candidates = CandidateTokens.of(logits.softmax(0), 80, 0)
    found = []
    for step in range(400):
        tokens, each = candidates.draw(step)
        found.append(float((logits[tokens] + each).exp().sum()))
    exact = float(logits.exp().sum())
    assert sum(found) / len(found) == pytest.approx(exact, rel=0.01)


def test_mass_is_that_of_whole_distributions():
    lens = LogitLens(tiny("llama"))
    states = states_of(lens)[:10]
    expected = torch.zeros(VOCABULARY, dtype=torch.float64)
    for layer in range(5):
        for h in states[:, layer]:
            q = torch.softmax(lens.decode(lens.normed(h[None]))[0], dim=-1).double()
            expected += (4 if layer == 4 else 1) * q
    torch.testing.assert_close(token_mass(lens, states), expected, rtol=1e-5, atol=1e-6)
    assert expected.sum() == pytest.approx(10 * 8)


# -- measuring


def test_distances_against_a_slow_loop():
    loaded = tiny("gemma3")
    lens = LogitLens(loaded)
    tuned = some_lens(loaded)
    states = states_of(lens)[:6]
    kl, agrees = distances(lens, tuned, states)
    for position in range(6):
        p = torch.softmax(lens.decode(lens.normed(states[position, 4][None]))[0].double(), dim=-1)
        for layer in range(4):
            h = states[position, layer]
            moved = h + tuned.weights[layer] @ h + tuned.biases[layer]
            for which, state in enumerate((h, moved)):
                q = torch.softmax(lens.decode(lens.normed(state[None]))[0].double(), dim=-1)
                assert kl[position, layer, which] == pytest.approx(float((p * (p / q).log()).sum()), abs=1e-5)
                assert agrees[position, layer, which] == (p.argmax() == q.argmax())


def test_positions_are_spread_evenly():
    assert spread_positions(9, 3) == [0, 4, 8]
    assert spread_positions(3, 8) == [0, 1, 2]
    assert spread_positions(1, 8) == [0]


# -- keeping


def test_what_is_saved_is_loaded_to_the_last_bit(tmp_path):
    loaded = tiny("llama")
    tuned = some_lens(loaded)
    path = tmp_path / "lens.safetensors"
    tuned.save(path)
    found = TunedLens.load(path, loaded)
    assert torch.equal(found.weights, tuned.weights)
    assert torch.equal(found.biases, tuned.biases)
    assert (found.model, found.model_fingerprint) == (tuned.model, tuned.model_fingerprint)
    found.save(tmp_path / "again.safetensors")
    assert path.read_bytes() == (tmp_path / "again.safetensors").read_bytes()


def test_a_lens_of_another_model_is_refused_by_name(tmp_path):
    loaded = tiny("llama")
    some_lens(loaded).save(tmp_path / "lens.safetensors")
    other = LoadedModel(
        loaded.model, loaded.tokenizer, ResolvedModel("other", tmp_path, "sha", ""), loaded.device, loaded.dtype
    )
    with pytest.raises(ConfigError, match="was trained on 'tiny', not on 'other'"):
        TunedLens.load(tmp_path / "lens.safetensors", other)


@pytest.mark.parametrize("content", [None, b"", b"no tensors"])
def test_a_damaged_lens_is_refused(tmp_path, content):
    path = tmp_path / "lens.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"lens.safetensors is missing, damaged or no lens"):
        TunedLens.load(path, tiny("llama"))


def test_only_the_last_step_is_kept_and_goes_on_to_the_last_bit(tmp_path):
    lens = LogitLens(tiny("llama"))
    states = states_of(lens)
    every = CandidateTokens.of(token_mass(lens, states), 0, 0).draw(0)
    training = Training.begin(states)
    training.save(tmp_path)
    with HeadSlices(lens.head).open(grad=True) as decode:
        for _ in range(3):
            training.train_step(lens, decode, states, every, 0.01)
        training.save(tmp_path)
        assert [path.name for path in kept(tmp_path)] == ["step-00000003.safetensors"]
        found = Training.load(kept(tmp_path)[-1])
        for one in (training, found):
            one.train_step(lens, decode, states, every, 0.005)
    for folder, one in (("a", training), ("b", found)):
        (tmp_path / folder).mkdir()
        one.save(tmp_path / folder)
    assert kept(tmp_path / "a")[0].read_bytes() == kept(tmp_path / "b")[0].read_bytes()


@pytest.mark.parametrize("name", FAMILIES)
def test_damping_keeps_a_share_of_the_change_and_its_curve_is_that_of_the_damped_lens(name):
    lens = LogitLens(tiny(name))
    states, tuned = states_of(lens), some_lens(lens.loaded)
    shares = (0.0, 0.3, 1.0)
    curve = damping_curve(lens, tuned, states, shares)
    for row, share in enumerate(shares):
        kl, _ = distances(lens, tuned.damped(torch.full((4,), share)), states)
        assert curve[row] == pytest.approx(kl[:, :4, 1].mean(axis=0), rel=1e-4, abs=1e-6)
    kl, _ = distances(lens, tuned, states)
    assert curve[0] == pytest.approx(kl[:, :4, 0].mean(axis=0), rel=1e-4, abs=1e-6)
