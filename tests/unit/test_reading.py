"""Layer readings against a slow loop with the model's own hidden states, norm and head."""

import math

import numpy as np
import pytest
import torch

from pivotlens.errors import ModelError
from pivotlens.models import head_slices
from pivotlens.models.encoding import TokenTexts
from pivotlens.models.head_slices import HeadSlices
from pivotlens.models.lens import LogitLens
from pivotlens.models.load import LoadedModel
from pivotlens.trace.reading import MASSES, LayerReadings, ReadItem, read_layers
from pivotlens.trace.token_sets import TokenLinks, TokenSets
from tiny_models import FAMILIES, loaded_of, random_model, tiny

_TOP = 7
_PREFIX = tuple(range(20, 30))


def item(context: tuple[int, ...], first: int, calibration: bool, **sets: set[int]) -> ReadItem:
    chosen = {name: frozenset(sets.get(name, ())) for name in MASSES}
    links = TokenLinks(TokenTexts(tiny("llama").tokenizer), {}, {}, frozenset(), frozenset())
    return ReadItem(context, first, TokenSets(**chosen, links=links, shares_token=False, ambiguous=False), calibration)


_ITEMS = [
    item((*_PREFIX, 40), 50, True, source={60, 61}, target={50, 51}, english={62}, pivots={63, 64, 65}, random={66}),
    item((*_PREFIX, 41, 42), 52, True, source={60}, target={52}),
    item((*_PREFIX, 43), 53, False, target={53}, english={70}),
    item((*_PREFIX, 44, 45, 46), 54, True, target={54, 55, 56, 57}),
    item((*_PREFIX, 40), 58, False, target={58}, source={59}),  # the first item's context, another target
]


def slow(loaded: LoadedModel, items: list[ReadItem]) -> LayerReadings:
    """The same by an uncached pass an item, and loops over the vocabulary."""
    model = loaded.model
    distributions = []
    for one in items:
        with torch.no_grad():
            output = model(input_ids=torch.tensor([one.context]), output_hidden_states=True, use_cache=False)
            layers = [model.model.norm(state[0, -1]) for state in output.hidden_states[:-1]]
            layers.append(output.hidden_states[-1][0, -1])  # normed already
            logits = torch.stack([model.lm_head(state) for state in layers]).double()
            distributions.append(torch.softmax(logits, dim=-1).numpy())
    n, depth = len(items), len(distributions[0])
    ids, probs = np.zeros((n, depth, _TOP), int), np.zeros((n, depth, _TOP))
    entropy, kl, prob = np.zeros((n, depth)), np.zeros((n, depth)), np.zeros((n, depth))
    rank = np.zeros((n, depth), int)
    masses, baseline = np.full((n, depth, 5), np.nan), np.full((n, depth, _TOP), np.nan)
    for i, one in enumerate(items):
        for layer in range(depth):
            q, last = distributions[i][layer], distributions[i][-1]
            order = sorted(range(len(q)), key=lambda token: (-q[token], token))
            ids[i, layer] = order[:_TOP]
            probs[i, layer] = q[order[:_TOP]]
            entropy[i, layer] = -sum(p * math.log(p) for p in q)
            kl[i, layer] = sum(p * math.log(p / other) for p, other in zip(q, last, strict=True))
            prob[i, layer] = q[one.target]
            rank[i, layer] = order.index(one.target) + 1
            for index, name in enumerate(MASSES):
                tokens = getattr(one.sets, name)
                if tokens:
                    masses[i, layer, index] = sum(q[token] for token in tokens)
            others = [distributions[j][layer] for j in range(n) if j != i and items[j].calibration]
            for place, token in enumerate(order[:_TOP]):
                if others:
                    baseline[i, layer, place] = sum(other[token] for other in others) / len(others)
    return LayerReadings(ids, probs, entropy, kl, rank, prob, masses, baseline)


def assert_alike(found: LayerReadings, expected: LayerReadings) -> None:
    np.testing.assert_array_equal(found.token_ids, expected.token_ids)
    np.testing.assert_array_equal(found.target_rank, expected.target_rank)
    for name in ("probs", "entropy", "kl_to_final", "target_prob", "masses", "baseline"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=0, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("batch_tokens", [8192, 15])
@pytest.mark.parametrize("share_cache", [True, False])
@pytest.mark.parametrize("family", ["llama", "qwen3", "olmo2"])
def test_readings_are_the_slow_ones(family, share_cache, batch_tokens):
    loaded = tiny(family)
    found = read_layers(LogitLens(loaded), _ITEMS, _TOP, batch_tokens, share_cache=share_cache)
    assert found.probs.shape == (5, 5, _TOP)
    assert_alike(found, slow(loaded, _ITEMS))
    assert np.all(found.kl_to_final[:, -1] == 0)
    assert np.all(found.kl_to_final > -1e-6)
    assert np.all(np.diff(found.probs, axis=-1) <= 0)


def test_an_item_is_left_out_of_its_own_baseline():
    lens = LogitLens(tiny("llama"))
    alone = read_layers(lens, _ITEMS[:1], _TOP, 8192, share_cache=True)
    assert np.isnan(alone.baseline).all()
    assert np.isnan(read_layers(lens, _ITEMS[2:3], _TOP, 8192, share_cache=True).baseline).all()
    pair = read_layers(lens, _ITEMS[:2], _TOP, 8192, share_cache=True)
    assert_alike(pair, slow(tiny("llama"), _ITEMS[:2]))
    assert not np.isnan(pair.baseline).any()


def test_many_items_are_decoded_in_parts():
    items = [item((*_PREFIX, 40 + i), 50 + i, i % 2 == 0, target={50 + i}) for i in range(30)]
    found = read_layers(LogitLens(tiny("llama")), items, _TOP, 8192, share_cache=True)
    assert_alike(found, slow(tiny("llama"), items))


def test_empty_sets_have_no_mass():
    masses = read_layers(LogitLens(tiny("llama")), _ITEMS, _TOP, 8192, share_cache=True).masses
    empty = np.array([[not getattr(one.sets, name) for name in MASSES] for one in _ITEMS])
    assert np.array_equal(np.isnan(masses), np.repeat(empty[:, None], 5, axis=1))


def test_equal_probabilities_stand_by_lower_id(monkeypatch):
    monkeypatch.setattr(head_slices, "WIDTH", 64)
    model = random_model(FAMILIES["llama"].config())
    with torch.no_grad():
        model.lm_head.weight[:] = model.lm_head.weight[torch.arange(320) % 40]
    found = read_layers(LogitLens(loaded_of(model)), _ITEMS, 5, 8192, share_cache=True)
    assert (np.diff(found.token_ids, axis=-1) > 0).sum() > 0.7 * np.diff(found.token_ids, axis=-1).size
    same = np.isclose(np.diff(found.probs, axis=-1), 0, atol=1e-9)
    assert same.any()
    exactly = np.diff(found.probs, axis=-1) == 0
    assert (np.diff(found.token_ids, axis=-1)[exactly] > 0).all()


@pytest.mark.parametrize(("width", "rows"), [(37, 4), (320, 1), (1, 1000)])
@pytest.mark.parametrize("family", ["llama", "gemma3", "cohere", "gpt2", "opt", "granite"])
def test_slices_of_any_size_give_the_same(family, width, rows, monkeypatch):
    lens = LogitLens(tiny(family))
    whole = read_layers(lens, _ITEMS, _TOP, 8192, share_cache=True)
    monkeypatch.setattr(head_slices, "WIDTH", width)
    monkeypatch.setattr(head_slices, "ROWS", rows)
    assert HeadSlices(lens.head).sliced
    assert_alike(read_layers(lens, _ITEMS, _TOP, 8192, share_cache=True), whole)


def test_a_head_that_cannot_be_cut_runs_whole(monkeypatch):
    lens = LogitLens(tiny("gemma3"))
    sliced = read_layers(lens, _ITEMS, _TOP, 8192, share_cache=True)
    monkeypatch.setattr(HeadSlices, "can_be_cut", lambda self: False)
    assert_alike(read_layers(lens, _ITEMS, _TOP, 8192, share_cache=True), sliced)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_slices_are_the_models_own_logits(family):
    """Soft-capping and scaling included, and the model is as it was afterwards."""
    lens = LogitLens(tiny(family))
    head = HeadSlices(lens.head)
    assert head.sliced
    states = torch.randn(3, lens.head.module.weight.shape[1], generator=torch.Generator().manual_seed(1))
    whole = lens.decode(states)
    with head.open() as logits_of:
        cut = torch.cat([logits_of(states, tokens) for tokens in head.slices()], dim=1)
        some = logits_of(states, torch.tensor([5, 3, 300]))
    torch.testing.assert_close(cut, whole)
    torch.testing.assert_close(some, whole[:, [5, 3, 300]])
    torch.testing.assert_close(lens.decode(states), whole, rtol=0, atol=0)


def test_nan_at_a_layer_is_an_error():
    model = random_model(FAMILIES["llama"].config())
    lens = LogitLens(loaded_of(model))
    with torch.no_grad():
        model.model.embed_tokens.weight[40] = float("nan")  # one token only: no self-check meets it
    with pytest.raises(ModelError, match="NaN or infinite logits at a layer"):
        read_layers(lens, _ITEMS, _TOP, 8192, share_cache=True)
