"""Which files the arms have, and what each shard of a corpus gives to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pivotlens.arrays import Booleans, Integers
from pivotlens.corpus.files import CorpusFile
from pivotlens.corpus.shards import PartStore, Shard
from pivotlens.corpus.writing.fragments import fragment_size
from pivotlens.corpus.writing.layout import FileFilling


@dataclass(frozen=True)
class ArmFile:
    """One file of an arm, in all its formats.

    Attributes:
        arm: The arm.
        number: Of the file, from 0.
        fragments: What the names of its fragments begin with, in the order of the corpus.
    """

    arm: str
    number: int
    fragments: tuple[Path, ...]

    def as_shard(self) -> Shard:
        """Return it as a piece of work for an executor: its size is what the fragments hold."""
        size = sum(fragment_size(base) for base in self.fragments)
        name = f"{self.arm}/{self.number:05d}"
        return Shard.whole(CorpusFile(name, name, size, ""))


@dataclass
class ArmFiles:
    """Which files the arms have; documents come in the order of the corpus.

    A last file that fills no training sequence, with the token after it, would be lost to a trainer, and some cannot
    read it: it goes into the one before.

    Attributes:
        arms: The arms.
        file_tokens: As `FileFilling`.
        sequence_length: Tokens of a training sequence.
        fragments: The parts of the work that writes the fragments of a shard.
    """

    arms: tuple[str, ...]
    file_tokens: int
    sequence_length: int
    fragments: PartStore
    _filling: dict[str, FileFilling] = field(init=False)
    _tokens: dict[str, list[int]] = field(init=False)
    _bases: dict[tuple[str, int], list[Path]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._filling = {arm: FileFilling(self.file_tokens) for arm in self.arms}
        self._tokens = {arm: [] for arm in self.arms}

    def place(self, shard: Shard, lengths: Integers, taken: Booleans) -> Integers:
        """Return the number of the file of each arm that documents go to, −1 for none, shape ``(arms, documents)``.

        Args:
            shard: Where they are.
            lengths: Tokens of each with its end-of-document token, shape ``(documents,)``.
            taken: Which of them are in each arm, shape ``(arms, documents)``.
        """
        numbers = np.full(taken.shape, -1, dtype=np.int64)
        for arm, of_arm, here in zip(self.arms, taken, numbers, strict=True):
            here[of_arm] = self._filling[arm].numbers(lengths[of_arm])
            for number in np.unique(here[of_arm]).tolist():
                self._bases.setdefault((arm, number), []).append(fragment_base(self.fragments.path(shard), arm, number))
                if number == len(self._tokens[arm]):
                    self._tokens[arm].append(0)
                self._tokens[arm][number] += int(lengths[here == number].sum())
        return numbers

    def tokens(self, arm: str) -> Integers:
        """Return the tokens of each file of an arm with the end-of-document tokens, shape ``(files,)``."""
        filled = np.array(self._tokens[arm], dtype=np.int64)
        return np.add.reduceat(filled, np.arange(self._n_files(arm))) if filled.size else filled

    def files(self) -> list[ArmFile]:
        """Return the files of the arms, of an arm that holds nothing one without documents."""
        files = []
        for arm in self.arms:
            n_files, filled = max(self._n_files(arm), 1), len(self._tokens[arm])
            for number in range(n_files):
                numbers = range(number, filled if number == n_files - 1 else number + 1)
                fragments = [base for one in numbers for base in self._bases[arm, one]]
                files.append(ArmFile(arm, number, tuple(fragments)))
        return files

    def _n_files(self, arm: str) -> int:
        filled = self._tokens[arm]
        return len(filled) - (len(filled) > 1 and filled[-1] <= self.sequence_length)


def fragment_base(part: Path, arm: str, number: int) -> Path:
    """Return what the names of the files begin with that hold what one shard gives to one file of an arm."""
    return part.with_suffix(f".{arm}-{number:05d}")
