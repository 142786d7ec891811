"""What every stage does before it reads a corpus: cut it into shards, check its labels, find its boilerplate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pivotlens.corpus.boilerplate import LinePass, find_boilerplate
from pivotlens.corpus.cutting import shards_of
from pivotlens.corpus.executor import Executor
from pivotlens.corpus.files import CorpusFile
from pivotlens.corpus.label_check import LabelPass, label_warnings
from pivotlens.corpus.shards import PartStore, Shard
from pivotlens.corpus.units import UnitPlan


@dataclass(frozen=True)
class OpenedCorpus:
    """A corpus that is ready to be read.

    Attributes:
        shards: All of it, in its order.
        plan: How it is read, with its boilerplate.
        warnings: What a model found wrong with the labels of documents.
    """

    shards: list[Shard]
    plan: UnitPlan
    warnings: tuple[str, ...] = ()


def open_corpus(
    files: Sequence[CorpusFile], plan: UnitPlan, executor: Executor, parts_folder: Callable[[str], Path]
) -> OpenedCorpus:
    """Cut a corpus into shards, check its labels and find its boilerplate: the same whoever does the work.

    Args:
        files: The corpus.
        plan: How it is read, as `unit_plan` returns it.
        executor: Looks through the files.
        parts_folder: Gives a folder for parts by name (of a stage: `Workspace.parts_folder`).

    Raises:
        DataError: A file is damaged, or lacks a column.
    """
    shards = shards_of(files, plan, executor, parts_folder("cuts"))
    columns, warnings = plan.columns, tuple[str, ...]()
    if columns.language_model:
        labels = PartStore(parts_folder("labels"))
        executor.run(shards, LabelPass(columns, plan.limit_documents), labels, "Checking labels")
        warnings = tuple(label_warnings(shards, labels, columns.language_model))
    if plan.boilerplate_share:
        parts = PartStore(parts_folder("lines"))
        executor.run(shards, LinePass(columns, plan.limit_documents), parts, "Looking for boilerplate")
        plan = replace(plan, boilerplate=find_boilerplate(shards, parts, plan.boilerplate_share))
    return OpenedCorpus(shards, plan, warnings)
