"""The word-translation benchmark as tasks of lm-evaluation-harness; `pivotlens tasks-path` tells where they are."""
