"""Artifacts: schemas, manifests and the only reader and writer of files between stages."""

from pivotlens.artifacts.benchmark import Benchmark, Concept
from pivotlens.artifacts.files import atomic_path, write_bytes
from pivotlens.artifacts.fingerprint import files_fingerprint, fingerprint, sha256_of_file
from pivotlens.artifacts.manifest import Manifest, read_manifest
from pivotlens.artifacts.plan import Plan, Source, make_plan
from pivotlens.artifacts.references import Made, RunFolder
from pivotlens.artifacts.result import StageResult
from pivotlens.artifacts.results import (
    Ablation,
    Arm,
    Attribution,
    Counts,
    Evaluation,
    IndexCounts,
    Pivots,
    Report,
    Scores,
    Selection,
    Trace,
    TrainedLens,
    TrainedModels,
)
from pivotlens.artifacts.tables import SCHEMAS, TABLES, schema_of
from pivotlens.artifacts.upstream import upstream_inputs
from pivotlens.artifacts.workspace import Workspace
from pivotlens.artifacts.writer import ResultWriter

__all__ = [
    "SCHEMAS",
    "TABLES",
    "Ablation",
    "Arm",
    "Attribution",
    "Benchmark",
    "Concept",
    "Counts",
    "Evaluation",
    "IndexCounts",
    "Made",
    "Manifest",
    "Pivots",
    "Plan",
    "Report",
    "ResultWriter",
    "RunFolder",
    "Scores",
    "Selection",
    "Source",
    "StageResult",
    "Trace",
    "TrainedLens",
    "TrainedModels",
    "Workspace",
    "atomic_path",
    "files_fingerprint",
    "fingerprint",
    "make_plan",
    "read_manifest",
    "schema_of",
    "sha256_of_file",
    "upstream_inputs",
    "write_bytes",
]
