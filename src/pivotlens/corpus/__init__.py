"""Corpora: listing their files, reading documents, cutting units, sharing the work among processes."""

from pivotlens.corpus.documents import BadRow, Columns, Document, read_documents
from pivotlens.corpus.executor import part_path, run_over_files
from pivotlens.corpus.files import CorpusFile, Listing, list_corpus, survey_corpus
from pivotlens.corpus.problems import BadRows, check_bad_share
from pivotlens.corpus.units import UnitBatch, UnitPlan, split_units, unit_batches, unit_hashes, unit_plan

__all__ = [
    "BadRow",
    "BadRows",
    "Columns",
    "CorpusFile",
    "Document",
    "Listing",
    "UnitBatch",
    "UnitPlan",
    "check_bad_share",
    "list_corpus",
    "part_path",
    "read_documents",
    "run_over_files",
    "split_units",
    "survey_corpus",
    "unit_batches",
    "unit_hashes",
    "unit_plan",
]
