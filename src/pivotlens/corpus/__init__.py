"""Corpora: listing their files, reading documents, cutting units, dealing out the work on shards."""

from pivotlens.corpus.boilerplate import Boilerplate, BoilerplateLine, DroppedLine
from pivotlens.corpus.columns import BadRow, Columns, Document
from pivotlens.corpus.composition import DOCUMENT_TYPES, Composition, DocumentType
from pivotlens.corpus.cutting import shards_of
from pivotlens.corpus.documents import read_documents
from pivotlens.corpus.executor import Executor, LocalExecutor
from pivotlens.corpus.files import CorpusFile, Listing, list_corpus, survey_corpus
from pivotlens.corpus.hashes import unit_hashes
from pivotlens.corpus.labels import columns_of, label_inputs
from pivotlens.corpus.opening import OpenedCorpus, open_corpus
from pivotlens.corpus.problems import BadRows, check_bad_share, merged_bad_rows
from pivotlens.corpus.shards import PartStore, Shard, Task
from pivotlens.corpus.units import UnitBatch, UnitPlan, split_units, unit_batches, unit_plan

__all__ = [
    "DOCUMENT_TYPES",
    "BadRow",
    "BadRows",
    "Boilerplate",
    "BoilerplateLine",
    "Columns",
    "Composition",
    "CorpusFile",
    "Document",
    "DocumentType",
    "DroppedLine",
    "Executor",
    "Listing",
    "LocalExecutor",
    "OpenedCorpus",
    "PartStore",
    "Shard",
    "Task",
    "UnitBatch",
    "UnitPlan",
    "check_bad_share",
    "columns_of",
    "label_inputs",
    "list_corpus",
    "merged_bad_rows",
    "open_corpus",
    "read_documents",
    "shards_of",
    "split_units",
    "survey_corpus",
    "unit_batches",
    "unit_hashes",
    "unit_plan",
]
