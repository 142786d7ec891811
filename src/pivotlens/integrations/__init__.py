"""pivotlens in other people's pipelines."""
