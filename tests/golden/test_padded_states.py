"""States of a padded batch are those of each prompt alone, or the batch is refused."""

import pytest
import torch

from pivotlens.errors import ModelError
from pivotlens.models.lens import LogitLens
from positional_families import FAMILIES_OF_POSITIONS, tiny_by_position
from tiny_models import tiny

pytestmark = pytest.mark.usefixtures("one_thread")

_ROWS = [list(range(20, 20 + length)) for length in (5, 9, 14)]
_WIDTH = max(map(len, _ROWS))
# Their recurrence or their blocks of tokens take the padding in.
_REFUSED = {"rwkv", "xlstm", "recurrent_gemma", "deepseek_v4"}


def padded(side: str = "left") -> dict[str, torch.Tensor]:
    """A batch of rows of unequal length, as a tokenizer pads it."""
    ids, mask = torch.full((len(_ROWS), _WIDTH), 7), torch.zeros(len(_ROWS), _WIDTH, dtype=torch.long)
    for number, row in enumerate(_ROWS):
        where = slice(_WIDTH - len(row), None) if side == "left" else slice(len(row))
        ids[number, where], mask[number, where] = torch.tensor(row), 1
    return {"input_ids": ids, "attention_mask": mask}


@pytest.mark.parametrize("name", FAMILIES_OF_POSITIONS)
def test_padding_on_the_left_changes_nothing_or_is_refused(name):
    lens = LogitLens(tiny_by_position(name))
    if name in _REFUSED:
        with pytest.raises(ModelError, match=r"otherwise when it is padded.*\n.*without padding"):
            lens.states(**padded(), use_cache=False)
        return
    found, blocks = lens.states(**padded(), use_cache=False), lens.block_states(**padded(), use_cache=False)
    for row, ids in enumerate(_ROWS):
        alone = {"input_ids": torch.tensor([ids]), "use_cache": False}
        torch.testing.assert_close(found[row], lens.states(**alone)[0], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(blocks[row], lens.block_states(**alone)[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_positions_that_are_given_are_used(name):
    lens, batch = LogitLens(tiny(name)), padded()
    positions = (batch["attention_mask"].cumsum(dim=1) - 1).clamp_min(0)
    torch.testing.assert_close(lens.states(**batch, position_ids=positions), lens.states(**batch), rtol=0, atol=0)
    assert (lens.states(**batch, position_ids=positions * 2) - lens.states(**batch)).abs().max() > 1e-2


def test_positions_behind_a_cache_are_those_of_the_new_tokens():
    loaded = tiny("gpt2")
    lens, batch = LogitLens(loaded), padded()
    with torch.inference_mode():
        positions = (batch["attention_mask"].cumsum(dim=1) - 1).clamp_min(0)
        begun = {name: values[:, :-2] for name, values in batch.items()} | {"position_ids": positions[:, :-2]}
        cache = loaded.model(**begun, use_cache=True).past_key_values
    arguments = {"input_ids": batch["input_ids"][:, -2:], "attention_mask": batch["attention_mask"]}
    found = lens.states(**arguments, past_key_values=cache, use_cache=True)
    torch.testing.assert_close(found, lens.states(**batch), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["llama", "gpt2", "bloom"])
def test_a_mask_that_hides_what_is_read_is_refused(name):
    lens = LogitLens(tiny(name))
    with pytest.raises(ModelError, match=r"hides the last position of row 0.*\n.*padding_side"):
        lens.states(**padded("right"))
    batch = padded()
    batch["attention_mask"][1, -3] = 0
    with pytest.raises(ModelError, match="attention_mask of row 1 hides positions after some"):
        lens.states(**batch)
