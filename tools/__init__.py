"""Writers of generated pages and files, and the labelled items; not part of the package."""
