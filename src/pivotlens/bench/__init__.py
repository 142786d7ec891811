"""The bench stage: a word list or dictionaries become a benchmark."""

from pivotlens.bench.config import BenchConfig
from pivotlens.bench.stage import build_benchmark

__all__ = ["BenchConfig", "build_benchmark"]
