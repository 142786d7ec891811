"""A world whose truth is known: co-occurrence is drawn per concept, and every instrument is held against it."""
