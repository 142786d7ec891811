"""Builds and evaluates the labelled set that the behaviour rules of `pivotlens trace` are held against."""
