"""Experiments that are small configurations of pivotlens."""
