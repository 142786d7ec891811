"""What version 1.1 of the benchmark accepts beyond 1.0: words of two blind reviews, and words that follow by rule."""
