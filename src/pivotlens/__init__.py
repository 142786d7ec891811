"""pivotlens: how language models carry meaning across languages."""

from importlib import metadata

__version__ = metadata.version("pivotlens")
