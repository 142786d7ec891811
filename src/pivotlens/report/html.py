"""A report as one self-contained HTML page: inert, with no request to anywhere."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from pivotlens.report import wording
from pivotlens.report.blocks import Prose, Value, plain
from pivotlens.report.page import Page
from pivotlens.report.payload import embedded_json

_TEMPLATES = ("report.html.j2", "blocks.html.j2")
_WIDGETS = ("items", "pairs")
_STYLES = ("charts.css", "style.css", "report.css")
_ADDRESS = re.compile(r"#[\w-]+|https://\S+|[\w./#-]+")


def template_text(name: str) -> str:
    """Return one of the page's template files."""
    return (resources.files("pivotlens.report") / "templates" / name).read_text("utf-8")


def csp_hash(text: str) -> str:
    """Return the source expression that lets exactly this inline script or style through."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def policy(script: str, style: str) -> str:
    """Return the page's Content-Security-Policy: nothing but its own script and style."""
    return (
        f"default-src 'none'; script-src {csp_hash(script)}; style-src {csp_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def shown_lines(text: str) -> str:
    """Return lines with the controls within them made visible."""
    return "\n".join(map(wording.clean, text.split("\n")))


def address(target: str, prefix: str) -> str:
    """Return where a link leads: into the same chapter, or to a page; nowhere else."""
    if not _ADDRESS.fullmatch(target):
        return "#"
    return f"#{prefix}{target[1:]}" if target.startswith("#") else target


def shade(cell: Any) -> str:
    """Return the class of a kappa in the matrix."""
    value = cell[0] if isinstance(cell, tuple) else cell
    if not isinstance(value, Value) or value.value is None:
        return "own"
    return f"a{round(10 * min(max(value.value, 0.0), 1.0))}"


def environment() -> Environment:
    """Return the template environment, which escapes whatever is not markup of ours."""
    made = Environment(
        loader=DictLoader({name: template_text(name) for name in _TEMPLATES}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for write in (wording.visible, wording.direction_name, shown_lines, address, shade):
        made.filters[write.__name__] = write
    made.filters["kind"] = lambda one: type(one).__name__
    made.filters["shown"] = wording.clean
    made.filters["plain"] = _plain
    # Our own files, not data: they go in as they are.
    made.globals["widgets"] = {name: Markup(template_text(f"{name}.html.j2")) for name in _WIDGETS}
    return made


def _plain(content: Prose) -> str:
    return wording.clean(plain(content))


def render(page: Page) -> str:
    """Return the page as HTML; equal pages give equal text."""
    style, script = "".join(map(template_text, _STYLES)), template_text("page.js")
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            page=page,
            policy=policy(script, style),
            # As they are, for the hashes to fit.
            style=Markup(style),
            script=Markup(script),
            data=embedded_json(page.data),
        )
    )
