"""How the words that the rules find in text agree with what segmenters find there (docs/results/word-matching.md)."""
