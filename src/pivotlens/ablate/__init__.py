"""Is a semantic pivot causal? Taking it out of the model's states and seeing what becomes of the answer."""
