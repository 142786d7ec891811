"""Builders of shipped data and generated pages; not part of the package."""
