"""What the task files of sentences name: the loader of the documents."""

from __future__ import annotations

from typing import Any

from pivotlens.errors import ConfigError
from pivotlens.harness.sentences import SentenceGroup, bundled_groups
from pivotlens.text import Direction, english_name, parse_direction

SPLITS = ("test", "shots")


def load(direction: str, **_: Any) -> dict[str, Any]:
    """Make the data set of a direction; the harness calls this as `custom_dataset`.

    Args:
        direction: Such as ``en-fr``.
        **_: What the harness hands every task.

    Returns:
        The documents as a `datasets.Dataset`, by split: ``test``, and ``shots`` for the examples in a prompt.

    Raises:
        ConfigError: No sentence is in both languages.
    """
    from datasets import Dataset

    wanted = parse_direction(direction, "the task")
    documents = make_documents(wanted)
    return {split: Dataset.from_list([one for one in documents if one["split"] == split]) for split in SPLITS}


def make_documents(direction: Direction) -> list[dict[str, Any]]:
    """Make the documents of a direction: a sentence, and four of which one translates it.

    Raises:
        ConfigError: No sentence is in both languages.

    >>> first = make_documents(Direction("en", "fr"))[0]
    >>> len(first["choices"]), first["prompt"].startswith("English: "), first["prompt"].endswith("French:")
    (4, True, True)
    """
    groups = [group for group in bundled_groups() if all(code in group.sentences for code in direction)]
    if not groups:
        raise ConfigError(
            f"no sentence of the task is in both languages of {direction}", "It has en, fr, de, es, zh and ja."
        )
    return [_document(group, direction) for group in groups]


def _document(group: SentenceGroup, direction: Direction) -> dict[str, Any]:
    choices, gold = group.choices(direction.target)
    source, target = (english_name(code) for code in direction)
    return {
        "id": group.group_id,
        "split": group.split,
        "direction": str(direction),
        "source": group.sentences[direction.source],
        "prompt": f"{source}: {group.sentences[direction.source]}\n{target}:",
        "choices": list(choices),
        "gold": gold,
    }
