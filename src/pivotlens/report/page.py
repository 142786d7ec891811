"""Putting the page together: every section that has data, one self-contained file."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib import resources

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from pivotlens.report import charts, figures, wording
from pivotlens.report.payload import embedded_json, payload
from pivotlens.report.sections.agreement import Agreement
from pivotlens.report.sections.attribution import PREDICTOR_NAMES, Attribution
from pivotlens.report.sections.behaviours import Behaviours
from pivotlens.report.sections.causality import ITEM_NAMES, READ_NAMES, SCOPE_NAMES, Causality
from pivotlens.report.sections.corpus import ENOUGH, Corpus
from pivotlens.report.sections.findings import Sentence
from pivotlens.report.sections.header import Header
from pivotlens.report.sections.items import TellingItem
from pivotlens.report.sections.layers import CURVE_NAMES, LayerProfile
from pivotlens.report.sections.lenses import Lenses
from pivotlens.report.sections.pivot_kinds import PivotKinds
from pivotlens.report.sections.pivot_languages import Split
from pivotlens.report.sections.pivots import MinedPivots
from pivotlens.report.sections.provenance import StageRecord
from pivotlens.report.sections.scores import ScoreTable
from pivotlens.report.sections.selection import Arm
from pivotlens.report.sections.shares import GROUP_NAMES, STRATUM_NAMES, ShareGroup, Sweep

_TEMPLATES = (
    "report.html.j2", "measures.html.j2", "headline.html.j2", "trace.html.j2", "causality.html.j2", "corpus.html.j2",
    "macros.html.j2",
)  # fmt: skip
CARDS = 3
"""Telling items drawn as cards."""


@dataclass(frozen=True)
class Page:
    """Everything the page says; None or empty where a stage has not run."""

    title: str
    header: Header
    provenance: tuple[StageRecord, ...]
    findings: tuple[Sentence, ...] = ()
    scores: ScoreTable | None = None
    n_distractors: int | None = None
    layers: tuple[LayerProfile, ...] = ()
    behaviours: Behaviours | None = None
    headline: tuple[ShareGroup, ...] = ()
    written: tuple[Split, ...] = ()
    sweeps: tuple[Sweep, ...] = ()
    agreement: Agreement | None = None
    pivot_kinds: tuple[PivotKinds, ...] = ()
    lenses: Lenses | None = None
    causality: Causality | None = None
    items: tuple[TellingItem, ...] = ()
    telling: tuple[TellingItem, ...] = ()
    n_items: int = 0
    n_layered: int = 0
    corpus: Corpus | None = None
    attribution: Attribution | None = None
    pivots: MinedPivots | None = None
    pivot_details: tuple[tuple[str, str], ...] = ()
    arms: tuple[Arm, ...] = ()

    @property
    def deck(self) -> str:
        """Say in a sentence what the page is about."""
        model, languages = self.header.model_name, len(self.header.languages)
        if model and self.layers:
            return f"How {model} carries words between {languages} languages, layer by layer."
        if model:
            return f"How well {model} translates words between {languages} languages."
        return f"What {self.header.corpus} holds for {languages} languages." if self.header.corpus else ""


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


def environment() -> Environment:
    """Return the template environment, which escapes whatever is not markup of ours."""
    made = Environment(
        loader=DictLoader({name: template_text(name) for name in _TEMPLATES}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for write in (
        wording.visible,
        wording.number,
        wording.percent,
        wording.whole,
        wording.probability,
        wording.p_value,
        wording.plural,
        wording.direction_name,
        wording.language_name,
    ):
        made.filters[write.__name__] = write
    made.filters["interval"] = wording.interval_text
    made.filters["lower_first"] = lambda text: text[:1].lower() + text[1:]
    made.globals.update(
        charts=charts,
        figures=figures,
        group_names=GROUP_NAMES,
        stratum_names=STRATUM_NAMES,
        scope_names=SCOPE_NAMES,
        item_names=ITEM_NAMES,
        read_names=READ_NAMES,
        pivot_language_names=wording.PIVOT_LANGUAGE_NAMES,
        behaviour_names=wording.BEHAVIOUR_NAMES,
        rule_notes=wording.RULE_NOTES,
        predictor_names=PREDICTOR_NAMES,
        enough_units=ENOUGH,
    )
    return made


def render(page: Page) -> str:
    """Return the page as HTML; equal pages give equal text."""
    style, script = template_text("charts.css") + template_text("style.css"), template_text("page.js")
    mined = page.pivots.by_item() if page.pivots else {}
    data = payload(page.items, mined, page.pivots.pairs if page.pivots else (), page.layers)
    template = environment().get_template("report.html.j2")
    return template.render(
        page=page,
        curve_names={key: name for key, name in CURVE_NAMES.items() if any(p.curve(key) for p in page.layers)},
        cards=[item for item in page.telling if item.shows_pivot][:CARDS],
        policy=policy(script, style),
        # Our own files, not data: they go in as they are, for the hashes to fit.
        style=Markup(style),
        script=Markup(script),
        data=embedded_json(data),
    )
