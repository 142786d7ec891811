"""The small files that the experiment leaves: one a training, one of the pilot, one of the documents."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import orjson

from pivotlens.arrays import Floats
from pivotlens.artifacts.files import write_bytes
from pivotlens.errors import ArtifactError

Row = dict[str, Any]
PILOT, DOCUMENTS = "pilot.json", "documents.json"


@dataclass(frozen=True)
class Kept:
    """What is kept as JSON.

    Attributes:
        settings: Fingerprint of the settings that it follows from.
    """

    settings: str

    def write(self, path: Path) -> None:
        """Write it: equal content gives equal bytes."""
        write_bytes(path, orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))

    @classmethod
    def read(cls, path: Path, settings: str) -> Self | None:
        """Read it; None where it is not there.

        Raises:
            ArtifactError: It is damaged, or follows from other settings.
        """
        try:
            found = cls(**orjson.loads(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise ArtifactError(f"{path} is damaged: {error}", "Remove it and run the same command again.") from error
        if found.settings != settings:
            raise ArtifactError(
                f"{path} was made with other settings ({found.settings}, now {settings})",
                "Give another folder with --results, or take the settings back.",
            )
        return found


@dataclass(frozen=True)
class Training(Kept):
    """What a training came to.

    Attributes:
        arm: What was trained on.
        seed: Of the draw of its documents and of their order.
        learning_rate: The highest.
        tokens: Tokens read.
        documents: Fingerprint of the content of the arm's files.
        concepts: Ids of the concepts that were scored at the end.
        scores: Their Scores by direction, such as ``en-fr``.
        curve: Checkpoints with tokens and Score over all directions, of fewer concepts.
        bits_per_byte: Checkpoints with tokens, language and bits per byte of unseen groups.
        behaviours: Labels with their items and shares; none where nothing was traced.
    """

    arm: str
    seed: int
    learning_rate: float
    tokens: int
    documents: str
    concepts: list[str]
    scores: dict[str, list[float]]
    curve: list[Row]
    bits_per_byte: list[Row]
    behaviours: list[Row]

    @property
    def values(self) -> Floats:
        """Score of each concept in each direction, shape ``(concepts, directions)``."""
        return np.array(list(self.scores.values()), dtype=np.float64).T

    @property
    def score(self) -> float:
        """Mean over directions of the means over concepts: the endpoint."""
        return float(self.values.mean(axis=0).mean())


@dataclass(frozen=True)
class Tries(Kept):
    """What the pilot found, on the concepts for development.

    Attributes:
        arm: What was trained on.
        tokens: Tokens of each training.
        rates: Learning rates with the Score at each, of the first seed.
        learning_rate: The best of them.
        seeds: Seeds with their Scores at that rate.
    """

    arm: str
    tokens: int
    rates: list[Row]
    learning_rate: float
    seeds: list[Row]

    @property
    def scores(self) -> list[float]:
        """Score of each seed."""
        return [row["score"] for row in self.seeds]


@dataclass(frozen=True)
class Documents(Kept):
    """What was mined and selected.

    Attributes:
        parts: Concepts by part, and documents of the corpus that is selected from and of the unseen groups.
        pivots: Pivots of pairs and of the corpus, and those left out as forms of words of other parts.
        arms: Of each arm with the first seed: units, tokens, share of pivots, bridges, shares of document types.
        frequency: Of each arm with the first seed: how often the tested words and pairs stand in it.
    """

    parts: dict[str, int]
    pivots: dict[str, int]
    arms: list[Row]
    frequency: list[Row]
