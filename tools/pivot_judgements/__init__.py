"""Builds and evaluates the judged set that mined pivots of word pairs are held against."""
