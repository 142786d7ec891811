"""One script a claim: ours and the reference side by side in one run."""
