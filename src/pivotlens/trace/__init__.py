"""The trace stage: what a model's layers say while it translates."""

from pivotlens.trace.config import TraceConfig
from pivotlens.trace.stage import trace_model

__all__ = ["TraceConfig", "trace_model"]
