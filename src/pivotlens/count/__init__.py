"""The count stage."""
