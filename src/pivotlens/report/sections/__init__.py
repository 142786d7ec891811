"""What each section of the page says: pure functions from tables to small frozen dataclasses."""
