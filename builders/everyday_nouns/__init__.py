"""Checks and derived files of the bundled word-translation benchmark."""
