"""Builder and checks of the published word-translation benchmark in six languages."""
