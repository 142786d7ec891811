"""Wrong answers with the kinds that a reader gave them: the rule of wrong answers is held against these."""
