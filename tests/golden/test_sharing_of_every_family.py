"""Packed, copied and plain scoring of every family, at lengths within and far beyond its window, and the lens' states.

What packing or sharing disturbs is attention that depends on positions in its own way: local and chunked masks, biases,
rotary positions scaled by length. A family is exact, or the check of the run's own prompts takes it back by name.
"""

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from more_families import UNSHARED
from pivotlens.models import packing
from pivotlens.models.encoding import Ids
from pivotlens.models.lens import LogitLens
from pivotlens.models.prefix import SharedPrefix
from pivotlens.models.scorer import AnswerScorer, Sharing, check_sharing, plain_log_probabilities
from pivotlens.trace.reading import SharedReading, read_states
from positional_families import FAMILIES_OF_POSITIONS, WINDOW, tiny_by_position
from tiny_models import loaded_of, random_model

pytestmark = pytest.mark.usefixtures("one_thread")

# Masks and biases that count places in the row, or models that take no positions: caches are copied.
_COPIED = {"bloom", "falcon_alibi", "mpt", "mpt_clipped", "gpt_neo", "gpt_neo_local"}
# Rotary positions that depend on the longest sequence: from the trained length on nothing can be shared.
_BY_LENGTH = {"longrope", "rope_dynamic"}


def contexts_of(prefix: int, count: int, shortest: int, longest: int) -> list[Ids]:
    """Contexts that begin alike, evenly from the shortest to the longest rest."""
    random = np.random.default_rng(0)
    beginning = tuple(int(token) for token in random.integers(20, 300, prefix))
    rests = np.linspace(shortest, longest, count).round().astype(int)
    return list(dict.fromkeys((*beginning, *(int(t) for t in random.integers(20, 300, rest))) for rest in rests))


_ANSWERS: list[Ids] = [(50, 51, 52), (50, 53), (54,)]
_LONG = contexts_of(WINDOW + 4, 24, 1, 3 * WINDOW - 7)
# All of it lies within the window, but a packed row does not.
_SHORT = contexts_of(2, 60, 1, 2)


def test_the_lengths_reach_four_windows_and_rows_are_full():
    loaded = tiny_by_position("gpt_neo")
    assert packing.longest_sequence(_LONG, [_ANSWERS] * len(_LONG)) == 4 * WINDOW
    assert packing.longest_sequence(_SHORT, [_ANSWERS[1:]] * len(_SHORT)) == 6
    for contexts in (_LONG, _SHORT):
        batch = next(packing.packed_batches(SharedPrefix(loaded, contexts, 8192), [_ANSWERS] * len(contexts)))
        assert batch.ids.shape[1] > 180
        assert batch.positions.max() < 4 * WINDOW


def expected_sharing(name: str, contexts: Sequence[Ids]) -> Sharing:
    if name in UNSHARED or (name in _BY_LENGTH and contexts is _LONG):
        return "nothing"
    return "copied" if name in _COPIED else "packed"


@pytest.mark.parametrize("contexts", [_SHORT, _LONG], ids=["within the window", "beyond it"])
@pytest.mark.parametrize("name", FAMILIES_OF_POSITIONS)
def test_scores_are_the_plain_ones_or_the_family_falls_back(name, contexts):
    loaded = tiny_by_position(name)
    sharing, reason = check_sharing(loaded, contexts, (50, 51))
    assert sharing == expected_sharing(name, contexts)
    assert bool(reason) is (sharing != "packed")
    answers = _ANSWERS[1:] if contexts is _SHORT else _ANSWERS
    compared = [*range(0, len(contexts), 7), len(contexts) - 1]
    plain = {row: [plain_log_probabilities(loaded, contexts[row], answer) for answer in answers] for row in compared}
    for path in {"nothing": (), "copied": ("copied",), "packed": ("copied", "packed")}[sharing]:
        found = AnswerScorer(loaded, sharing=path).score(contexts, [answers] * len(contexts))
        for row in compared:
            for one, other in zip(found[row], plain[row], strict=True):
                np.testing.assert_allclose(one, other, rtol=0, atol=1e-4, err_msg=f"{name}, {path}")


@pytest.mark.parametrize("name", FAMILIES_OF_POSITIONS)
def test_states_behind_a_shared_prefix_are_the_plain_ones_at_every_length(name):
    if expected_sharing(name, _LONG) == "nothing":
        pytest.skip("nothing is shared")
    loaded = tiny_by_position(name)
    lens = LogitLens(loaded)
    found = read_states(lens, _LONG, SharedReading(8192, share_cache=True))
    for row in (0, len(_LONG) // 2, len(_LONG) - 1):
        with torch.inference_mode():
            blocks, answer = lens.layers(input_ids=torch.tensor([_LONG[row]]), use_cache=False)
        torch.testing.assert_close(found.blocks[row], blocks[0], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(found.answer[row], answer[0], rtol=1e-4, atol=1e-4)


def test_a_mask_that_counts_places_in_the_row_is_seen_though_every_context_lies_within_the_window():
    """As of GPT-Neo, whose window of 256 holds two short prompts, and a row of them does not."""
    config = FAMILIES_OF_POSITIONS["gpt_neo"]()
    config.window_size = 4 * WINDOW
    loaded = loaded_of(random_model(config))
    # Two contexts alone show nothing; the check fills the row.
    found = AnswerScorer(loaded).score(_LONG[:2], [_ANSWERS] * 2)
    np.testing.assert_allclose(found[1][0], plain_log_probabilities(loaded, _LONG[1], _ANSWERS[0]), rtol=0, atol=1e-4)
    for count in (2, len(_LONG)):
        assert check_sharing(loaded, _LONG[:count], (50, 51))[0] == "copied"


def test_rows_are_no_longer_than_those_of_the_check_however_many_answers_a_context_has():
    loaded = tiny_by_position("gemma3")
    random = np.random.default_rng(0)
    answers = [tuple(int(token) for token in random.integers(50, 300, random.integers(1, 5))) for _ in range(150)]
    answers = list(dict.fromkeys((*answers, answers[0][:1])))
    context = _SHORT[0]
    batches = list(packing.packed_batches(SharedPrefix(loaded, [context, _SHORT[1]], 8192), [answers, answers[:2]]))
    assert max(batch.ids.shape[1] for batch in batches) <= packing.ROW
    found = AnswerScorer(loaded).score([context, _SHORT[1]], [answers, answers[:2]])[0]
    for answer, values in zip(answers, found, strict=True):
        np.testing.assert_allclose(values, plain_log_probabilities(loaded, context, answer), rtol=0, atol=1e-4)
