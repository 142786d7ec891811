"""A figure as a file of its own."""

from __future__ import annotations

from importlib import resources

from markupsafe import Markup, escape


def style() -> str:
    """Return the CSS of the marks and their colours, which the page and every file share."""
    return (resources.files("pivotlens.report") / "templates" / "charts.css").read_text("utf-8")


def standalone(figure: Markup) -> str:
    """Return a figure of two axes or a forest as the text of an SVG file, with title and style."""
    name = str(figure)
    label = name[name.index('aria-label="') + len('aria-label="') :].split('"', 1)[0]
    opened, rest = name.split(">", 1)
    opened = opened.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return f"{opened}><title>{label}</title><style>{escape(style())}</style>{rest}\n"
