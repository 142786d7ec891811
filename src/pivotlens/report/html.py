"""A report as one self-contained HTML page: inert, with no request to anywhere."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pivotlens.report import wording
from pivotlens.report.blocks import Value, plain
from pivotlens.report.page import Page
from pivotlens.report.payload import embedded_json
from pivotlens.report.svg import template_text

_STYLES = ("charts.css", "style.css")
_ADDRESS = re.compile(r"#[\w-]+|https://\S+|[\w./#-]+")


def policy(script: str, style: str) -> str:
    """Return the page's Content-Security-Policy: nothing but exactly this inline script and style."""
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, style))
    own = [f"'sha256-{digest}'" for digest in digests]
    return (
        f"default-src 'none'; script-src {own[0]}; style-src {own[1]}; img-src data:; base-uri 'none'; "
        "form-action 'none'"
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
        loader=PackageLoader("pivotlens.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for write in (wording.visible, wording.direction_name, shown_lines, address, shade):
        made.filters[write.__name__] = write
    made.filters["kind"] = lambda one: type(one).__name__
    made.filters["shown"] = wording.clean
    made.filters["plain"] = lambda content: wording.clean(plain(content))
    return made


def render(page: Page) -> str:
    """Return the page as HTML; equal pages give equal text."""
    # Style and script go in as they are, for the hashes to fit.
    style, script = Markup("".join(map(template_text, _STYLES))), Markup(template_text("page.js"))
    found = environment().get_template("report.html.j2")
    return found.render(
        page=page, policy=policy(script, style), style=style, script=script, data=embedded_json(page.data)
    )
