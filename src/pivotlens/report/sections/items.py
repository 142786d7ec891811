"""Traced items, each with what stands at every layer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.names import BEHAVIOUR_NAMES, group_of
from pivotlens.report.run_tables import Row, RunTables, direction_of, first_rows, first_shot_set, first_table, has
from pivotlens.report.sections import parts as p
from pivotlens.report.sections.shares import headline
from pivotlens.report.wording import probability, whole
from pivotlens.text import Direction
from pivotlens.text.function_words import is_function_word

ItemKey = tuple[Direction, str]
"""Direction and concept id."""

RULE = "calibrated"
PIVOT = "semantic_pivot"
LEAST_PROB = 0.3
"""Least probability of a pivot that is named as an example."""
TELLING, EXAMPLES, CARDS, TOP = 10, 3, 3, 5
"""Telling items and examples of a report, telling items drawn as cards, tokens a layer."""
MOST_ROWS = 26
"""Most layers in a card; deeper models show evenly spread ones, the peak and the last among them."""


@dataclass(frozen=True)
class LensToken:
    """A token at a layer.

    Attributes:
        role: source, target, english, pivot or nothing.
        relation: How a linked token is linked to the concept.
        specific: Likelier here than for other concepts, by the thresholds of the trace.
    """

    token: str
    prob: float
    role: str
    relation: str
    specific: bool


@dataclass(frozen=True)
class LayerReading:
    """The most probable tokens of a layer, best first."""

    layer: int
    tokens: tuple[LensToken, ...]


@dataclass(frozen=True)
class TellingItem:
    """An item of a direction, layer by layer; labels by rule, the peak is that of `calibrated`."""

    direction: Direction
    concept_id: str
    source_word: str
    target_word: str
    generated: str | None
    correct: bool
    ambiguous: bool
    labels: Mapping[str, str]
    peak_layer: int | None
    peak_token: str | None
    peak_prob: float | None
    layers: tuple[LayerReading, ...]

    @property
    def behaviour(self) -> str:
        """The calibrated behaviour."""
        return self.labels.get(RULE, "none")

    @property
    def shows_pivot(self) -> bool:
        """Tell whether the calibrated rule found a semantic pivot."""
        return self.behaviour == PIVOT


@dataclass(frozen=True)
class TraceTables:
    """What is read from the trace and, for the generated answers, from the score."""

    items: Sequence[Row]
    labels: Sequence[Row]
    tokens: pa.Table
    generated: Mapping[ItemKey, str]


@dataclass(frozen=True)
class Traced:
    """The items of a report: all, ``n_layered`` with their layers; the most telling; examples of the headline."""

    items: tuple[TellingItem, ...] = ()
    telling: tuple[TellingItem, ...] = ()
    examples: tuple[TellingItem, ...] = ()
    n_layered: int = 0

    @property
    def layered(self) -> list[ItemKey]:
        """The items with layers."""
        return [(item.direction, item.concept_id) for item in self.items if item.layers]


def item_key(row: Row) -> ItemKey:
    """Return a row's direction and concept."""
    return direction_of(row), row["concept_id"]


def telling_keys(labels: Sequence[Row], count: int) -> list[ItemKey]:
    """Return the most telling items: semantic pivots answered correctly, by the pivot's probability.

    One item a concept; directions alternate, the one with the strongest pivot first. Where there are too few, semantic
    pivots of wrong answers follow, then items of other behaviours, so that a model without pivots is shown too. A
    pivot that is a word of grammar tells nothing, unless it is linked with the concept (*war*, which is German for
    *was*).
    """
    tiers: list[list[Row]] = [[], [], [], []]
    for row in first_shot_set(list(labels)):
        is_pivot = row["behaviour"] == PIVOT
        grammar = is_pivot and not row["relation"] and is_function_word(row["token"] or "")
        if row["rule"] == RULE and row["behaviour"] != "none" and not grammar:
            tiers[2 * (not is_pivot) + (not row["correct"])].append(row)
    chosen: dict[str, ItemKey] = {}
    for rows in tiers:
        strongest = sorted(rows, key=lambda row: (-(row["prob"] or 0.0), row["concept_id"], direction_of(row)))
        queues = p.by(strongest, direction_of)
        while queues and len(chosen) < count:
            for direction in list(queues):
                free = [row for row in queues[direction] if row["concept_id"] not in chosen]
                if not free or len(chosen) >= count:
                    del queues[direction]
                    continue
                queues[direction] = free
                chosen[free[0]["concept_id"]] = item_key(free[0])
    return list(chosen.values())


def example_keys(labels: Sequence[Row], directions: str, count: int) -> list[ItemKey]:
    """Return the clearest semantic pivots of a group of directions, to be named beside its share.

    They are linked with the concept and at least `LEAST_PROB` probable; wrong answers only where no answer is right.
    There may be none.

    Args:
        labels: Rows of ``trace/behaviours`` of one model and prompt.
        directions: A key of `GROUP_NAMES`, or empty for any direction.
        count: At most so many.
    """
    rows = [
        row
        for row in first_shot_set(list(labels))
        if (row["rule"], row["behaviour"]) == (RULE, PIVOT)
        and row["relation"]
        and (row["prob"] or 0.0) >= LEAST_PROB
        and directions in ("", group_of(direction_of(row)))
    ]
    return telling_keys([row for row in rows if row["correct"]] or rows, count)


def fair_keys(items: Sequence[Row], count: int) -> list[ItemKey]:
    """Return at most ``count`` items, as many of each direction as there are, in the order of the benchmark."""
    queues = p.by(first_shot_set(list(items)), direction_of).values()
    in_turn = [row for turn in zip_longest(*queues) for row in turn if row is not None]
    kept = {item_key(row) for row in in_turn[:count]}
    return [key for queue in queues for key in map(item_key, queue) if key in kept]


def read_items(tables: TraceTables, keys: Sequence[ItemKey], top: int) -> list[TellingItem]:
    """Return these items with the ``top`` most probable tokens of every layer."""
    wanted = set(keys)
    items = {item_key(row): row for row in first_shot_set(list(tables.items))}
    labels = p.spread((row for row in first_shot_set(list(tables.labels)) if item_key(row) in wanted), item_key, "rule")
    readings, made = _readings(tables, wanted, top), []
    for key in keys:
        row, of_rules = items[key], labels.get(key, {})
        calibrated = of_rules.get(RULE, {})
        peak = {} if calibrated.get("behaviour") == "none" else calibrated
        item = TellingItem(
            *key, row["source_word"], row["target_word"], tables.generated.get(key),
            correct=bool(row["correct"]), ambiguous=bool(row["ambiguous"]),
            labels={rule: label["behaviour"] for rule, label in of_rules.items()},
            peak_layer=peak.get("layer"), peak_token=peak.get("token"), peak_prob=peak.get("prob"),
            layers=readings.get(key, ()),
        )  # fmt: skip
        made.append(item)
    return made


def _readings(tables: TraceTables, wanted: Iterable[ItemKey], top: int) -> dict[ItemKey, tuple[LayerReading, ...]]:
    table = tables.tokens
    if table.num_rows == 0:
        return {}
    # Ranks may count from 0 or 1: the smallest one is the best.
    first = pc.min(table["rank"])
    mask = pc.and_(pc.equal(table["shot_set"], pc.min(table["shot_set"])), pc.less(table["rank"], pc.add(first, top)))
    columns = ("source_language", "target_language", "concept_id")
    joined = pc.binary_join_element_wise(*(table[name] for name in columns), "\x1f")
    names = pa.array(sorted("\x1f".join((*direction, concept)) for direction, concept in wanted), pa.string())
    table = table.filter(pc.and_(mask, pc.is_in(joined, names)))
    found: dict[ItemKey, dict[int, list[LensToken]]] = defaultdict(lambda: defaultdict(list))
    for row in table.sort_by([(name, "ascending") for name in (*columns, "layer", "rank")]).to_pylist():
        of = (row["token"], float(row["prob"]), row["role"] or "", row["relation"] or "", row["above_baseline"])
        token = LensToken(*of)
        found[item_key(row)][row["layer"]].append(token)
    return {
        key: tuple(LayerReading(layer, tuple(tokens)) for layer, tokens in layers.items())
        for key, layers in found.items()
    }


def trace_tables(run: RunTables) -> TraceTables | None:
    """Return what the items are read from, or None where no items were traced."""
    if run.trace is None or not has(run.trace, "tokens"):
        return None
    scored = first_rows(run.score, "concepts")
    return TraceTables(
        items=run.trace.first_rows("items"),
        labels=run.trace.first_rows("behaviours"),
        tokens=first_table(run.trace, "tokens"),
        generated={item_key(row): row["generated"] for row in scored if row["generated"] is not None},
    )


def traced(run: RunTables, most: int) -> Traced:
    """Read the items of a report, at most ``most`` beside the telling ones with their layers."""
    tables = trace_tables(run)
    if tables is None:
        return Traced()
    groups = headline(run)
    best = telling_keys(tables.labels, TELLING)
    named = example_keys(tables.labels, groups[0].direction_group if groups else "", EXAMPLES)
    # The telling ones and the examples are there even where not every item is.
    shown = list(dict.fromkeys((*fair_keys(tables.items, most), *best, *named)))
    found = dict(zip(shown, read_items(tables, shown, TOP), strict=True))
    every = fair_keys(tables.items, len(tables.items))
    listed = dict(zip(every, read_items(tables, every, 0), strict=True))
    telling, examples = (tuple(found[key] for key in keys) for keys in (best, named))
    return Traced(tuple((listed | found).values()), telling, examples, len(shown))


# -- as blocks

_COLOURS = b.Legend(
    "Colours",
    (("r-source", "source word"), ("r-english", "English word"), ("r-pivot", "another token linked to the concept or "
     "mined"), ("r-target", "target word"), ("r-other", "other"), ("r-common", "not specific to this word")),
)  # fmt: skip


def items(found: Traced) -> b.Section | None:
    """Build the section that lists every item."""
    if not found.items:
        return None
    n, layered = len(found.items), found.n_layered
    some = b.prose(
        f" Shown are {whole(layered)} of {whole(n)} traced items, as many of each direction; the others are listed "
        f"with their labels, and `pivotlens report --items {n}` shows their layers too."
    )
    said = p.lede(
        "Every item, layer by layer. The strip is its layers from the first to the last, each in the colour of its "
        "most probable token and as high as that is probable. Open one to see the five most probable tokens of each "
        "layer.{some}",
        some=some if layered < n else (),
    )
    instead = (
        p.note(
            f"These are the {len(found.telling)} most telling items; the list of all is in the HTML page, "
            "where scripts run."
        ),
        b.Grid(tuple(map(card, found.telling)), "cards"),
    )
    return b.Section("items", "Items", (said, _COLOURS, b.Widget("items", None, instead)))


def cards(found: Traced) -> tuple[b.Block, ...]:
    """Return the most telling pivots, each as the words on its way through the model."""
    drawn = tuple(card(item) for item in found.telling if item.shows_pivot)[:CARDS]
    if not drawn:
        return ()
    said = p.lede(
        "What the model would write if it stopped at each layer: the most probable token, its probability as a bar. "
        "Layer 0 is the embeddings, the last row is the model's own output."
    )
    title = "Words on the way through the model" if len(drawn) > 1 else "A word on the way through the model"
    return (p.heading(title), said, _COLOURS, b.Grid(drawn, "cards"))


def shown_layers(item: TellingItem) -> list[LayerReading]:
    """Return the layers of a card: all, or evenly spread ones with the peak and the last."""
    count = len(item.layers)
    if count <= MOST_ROWS:
        return list(item.layers)
    kept = {round(i * (count - 1) / (MOST_ROWS - 1)) for i in range(MOST_ROWS)}
    kept |= {i for i, reading in enumerate(item.layers) if reading.layer == item.peak_layer}
    return [item.layers[i] for i in sorted(kept)]


def card(item: TellingItem) -> b.Group:
    """Return an item as one row a layer: the first token and its probability."""
    source, target = item.direction
    languages = {"source": source, "target": target, "english": "en"}
    pair: b.Prose = (
        b.Word(item.source_word, source), " → ", b.Word(item.target_word, target), " ",
        b.Soft("("), b.Pair(item.direction), b.Soft(")"),
    )  # fmt: skip
    peak: b.Prose = ()
    if item.peak_token is not None:
        kind = "pivot" if item.shows_pivot else "token"
        peak = (": ", b.Word(item.peak_token, kind=kind), f" at layer {item.peak_layer}")
    label = BEHAVIOUR_NAMES.get(item.behaviour, item.behaviour)
    kept, n = shown_layers(item), len(item.layers)
    some = f"; {len(kept)} of {n} layers are shown" if len(kept) < n else ""
    said: b.Prose = (label, *peak, f"; answer {'right' if item.correct else 'wrong'}{some}")

    def word(reading: LayerReading) -> b.Word:
        first = reading.tokens[0]
        return b.Word(first.token, languages.get(first.role, ""), _role(first))

    def bar(reading: LayerReading) -> Markup:
        return charts.plain_bar(reading.tokens[0].prob, 1.0, f"r-{_role(reading.tokens[0])}")

    fields = (
        p.text("layer", lambda reading: str(reading.layer)), p.text("token", word), p.plot("probability", bar),
        p.number("p", lambda reading: probability(reading.tokens[0].prob)),
    )  # fmt: skip
    found = [reading for reading in kept if reading.tokens]
    made = p.table(f"layers-{item.direction}-{item.concept_id}", "Most probable token of each layer", found, fields,
                   unseen=True, kind="card",
                   style=lambda reading: "peak" if reading.layer == item.peak_layer else "")  # fmt: skip
    return b.Group((b.Heading(pair, 4), b.Paragraph(said, "note"), made), "card")


def _role(token: LensToken) -> str:
    return token.role or ("other" if token.specific else "common")
