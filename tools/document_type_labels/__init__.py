"""Units of real corpora labelled by hand: what type of document each is, which the rules are held against."""
