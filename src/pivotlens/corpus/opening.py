"""What every stage does before it reads a corpus: cut it into shards, and find its boilerplate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pivotlens.corpus.boilerplate import LinePass, find_boilerplate
from pivotlens.corpus.cutting import shards_of
from pivotlens.corpus.executor import Executor
from pivotlens.corpus.files import CorpusFile
from pivotlens.corpus.shards import PartStore, Shard
from pivotlens.corpus.units import UnitPlan


@dataclass(frozen=True)
class OpenedCorpus:
    """A corpus that is ready to be read.

    Attributes:
        shards: All of it, in its order.
        plan: How it is read, with its boilerplate.
    """

    shards: list[Shard]
    plan: UnitPlan


def open_corpus(
    files: Sequence[CorpusFile], plan: UnitPlan, executor: Executor, parts_folder: Callable[[str], Path]
) -> OpenedCorpus:
    """Cut a corpus into shards and find its boilerplate: the same whoever does the work.

    Args:
        files: The corpus.
        plan: How it is read, as `unit_plan` returns it.
        executor: Looks through the files.
        parts_folder: Gives a folder for parts by name (of a stage: `Workspace.parts_folder`).

    Raises:
        DataError: A file is damaged, or lacks a column.
    """
    shards = shards_of(files, plan, executor, parts_folder("cuts"))
    if not plan.boilerplate_share:
        return OpenedCorpus(shards, plan)
    parts = PartStore(parts_folder("lines"))
    executor.run(shards, LinePass(plan.columns, plan.limit_documents), parts, "Looking for boilerplate")
    return OpenedCorpus(shards, replace(plan, boilerplate=find_boilerplate(shards, parts, plan.boilerplate_share)))
