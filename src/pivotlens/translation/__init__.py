"""What every stage shares that asks a model to translate words; no stage of its own."""
