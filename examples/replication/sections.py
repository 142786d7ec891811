"""Sections of the page."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from examples.replication.analysis import Arm, Compared, Found, Power, last_bits
from examples.replication.artifacts import Documents, Row, Training, Tries
from examples.replication.conclusion import points
from examples.replication.settings import Settings
from pivotlens.corpus.composition import DOCUMENT_TYPES
from pivotlens.report import blocks as b
from pivotlens.report import charts
from pivotlens.report.sections import parts as p
from pivotlens.select.arms import HOW
from pivotlens.statistics.bootstrap import Interval
from pivotlens.statistics.groups import mean_interval

_ROLES = ("s-both", "s-raw", "s-tuned")
_ALL = "all"


def _plain(value: float) -> Interval:
    """Return a figure without an interval."""
    return Interval(value, math.nan, math.nan)


def _arm(arm: Arm) -> b.Cell:
    return b.Code(arm.name)


def detectable(settings: Settings, tries: Tries, can: Power) -> b.Section:
    """Build the section on what the experiment can find, by the pilot."""
    first, control = settings.primary
    said = p.lede(
        f"Fixed before the first counted training: with {settings.seeds[first]} and {settings.seeds[control]} seeds "
        f"a difference `{first}` − `{control}` of {{effect}} points (Score × 100) is found with 80 % power at the 5 % "
        f"level, if Scores vary from seed to seed as in the pilot (arm `{tries.arm}`, the concepts for development): "
        "with a standard deviation of {deviation}.",
        effect=points(can.detectable),
        deviation=points(can.deviation),
    )

    def score(row: Row) -> b.Cell:
        return points(_plain(row["score"]))

    rates = p.table(
        "rates",
        f"Learning rates, with seed {tries.seeds[0]['seed']}; all trainings have the best, {tries.learning_rate:g}.",
        tries.rates,
        [p.text("learning rate", lambda row: f"{row['learning_rate']:g}"), p.number("points", score)],
    )
    seeds = [p.text("seed", lambda row: str(row["seed"])), p.number("points", score)]
    return b.Section(
        "detectable", "What could be found", (said, rates, p.table("pilot", "Seeds of the pilot.", tries.seeds, seeds))
    )


def endpoint(settings: Settings, found: Found) -> b.Section:
    """Build the section of the arms: Scores, gains, and the differences to the first arm."""
    first, control = settings.primary
    by_arm = {one.other: one for one in (found.endpoint, *found.contrasts)}

    def minus(cell: Callable[[Compared], b.Cell]) -> Callable[[Arm], b.Cell]:
        return lambda arm: cell(by_arm[arm.name]) if arm.name in by_arm else ""

    def p_value(one: Compared) -> b.Cell:
        return b.Value(one.seeds.p if one.adjusted_p is None else one.adjusted_p, "p")

    said = p.lede(
        "Points are the Score × 100, the mean over directions of the means over the tested concepts; without any "
        "training it is {none}. Arms, and differences over seeds, have t-intervals (Welch); differences over concepts "
        "have bootstrap intervals of the means over seeds. The endpoint's p-value stands for itself, the others are "
        "Holm's.",
        none=points(_plain(found.reference.score)),
    )
    arms = p.table(
        "arms",
        "",
        list(found.arms.values()),
        [
            p.text("arm", _arm),
            p.number("seeds", lambda arm: str(len(arm.trainings))),
            p.number("points", lambda arm: points(arm.score)),
            p.number("gain over no training", lambda arm: points(_plain(arm.gain), signed=True)),
            p.number(f"{first} − arm, over seeds", minus(lambda one: points(one.seeds.interval, signed=True))),
            p.number("the same over concepts", minus(lambda one: points(one.concepts, signed=True))),
            p.number("p", minus(p_value)),
        ],
    )
    rows = [
        charts.Row(
            one.other, tuple(100 * end for end in one.seeds.interval), "main" if one.adjusted_p is None else "second"
        )
        for one in by_arm.values()
    ]
    ends = [100 * end for one in by_arm.values() for end in one.seeds.interval]
    title = f"{first} minus each arm"
    forest = charts.forest(title, rows, charts.value_axis("difference of Scores", "points", ends))
    directions = p.table(
        "directions",
        f"Points by direction, to look at: without correction. `{first}` and `{control}` with t-intervals over seeds.",
        list(found.reference.scores),
        [
            p.text("direction", lambda direction: direction.replace("-", " → ")),
            p.number("no training", lambda direction: points(_plain(_mean(found.reference, direction)))),
            *(p.number(name, partial(_over_seeds, found.arms[name])) for name in settings.primary),
        ],
    )
    figure = b.Figure("contrasts", forest, b.prose(f"`{first}` minus each arm, with t-intervals over seeds."))
    return b.Section("endpoint", "The primary endpoint, and the other contrasts", (said, arms, figure, directions))


def _mean(training: Training, direction: str) -> float:
    return float(np.mean(training.scores[direction]))


def _over_seeds(arm: Arm, direction: str) -> b.Value:
    return points(mean_interval([_mean(one, direction) for one in arm.trainings]))


def curves(settings: Settings, found: Found) -> b.Section:
    """Build the section of the learning curves."""
    steps = [row["tokens"] for row in next(iter(found.arms.values())).trainings[0].curve]

    def at(place: int, arm: Arm) -> Interval:
        return _hundredfold(mean_interval([one.curve[place]["score"] for one in arm.trainings]))

    def cell(place: int) -> Callable[[Arm], b.Cell]:
        return lambda arm: b.Value.of(at(place, arm), "short")

    begun = found.reference.curve[0]["score"]
    shown = dict.fromkeys((*settings.primary, settings.pilot.arm))
    lines = [
        charts.Line(
            name, role, [0, *steps], [100 * begun, *(at(place, found.arms[name]) for place in range(len(steps)))]
        )
        for name, role in zip(shown, _ROLES, strict=False)
    ]
    ends = [100 * begun, *(end for name in shown for i in range(len(steps)) for end in at(i, found.arms[name]))]
    x = charts.Axis("tokens read", "tokens", charts.nice_ticks(steps[-1]))
    drawn = charts.line_chart("Score over the training", lines, x, charts.value_axis("Score", "points", ends))
    fields = [p.text("arm", _arm), p.number("0", lambda arm: points(_plain(begun)))]
    fields += [p.number(f"{tokens:,}", cell(place)) for place, tokens in enumerate(steps)]
    said = p.lede(
        f"Of {settings.stages['train']['score_concepts']} of the tested concepts, at each checkpoint, by tokens read; "
        "means over seeds with t-intervals."
    )
    table = p.table("curves", "", list(found.arms.values()), fields)
    return b.Section(
        "curves", "Learning curves", (said, b.Figure("curves", drawn, b.prose("Score by tokens read.")), table)
    )


def _hundredfold(interval: Interval) -> Interval:
    return Interval(*(100 * end for end in interval))


def unseen(found: Found) -> b.Section:
    """Build the section of bits per byte of groups that nothing was selected from."""
    languages = list(dict.fromkeys(row["language"] for row in found.reference.bits_per_byte))
    rows: list[tuple[str, Sequence[Training]]] = [("no training", [found.reference])]
    rows += [(arm.name, arm.trainings) for arm in found.arms.values()]
    fields = [p.text("arm", lambda row: row[0])]

    def cell(language: str) -> Callable[[tuple[str, Sequence[Training]]], b.Cell]:
        return lambda row: b.Value.of(mean_interval([last_bits(one, language) for one in row[1]]))

    fields += [p.number("all languages" if code == _ALL else code, cell(code)) for code in languages]
    said = p.lede("Bits per byte of documents whose groups no arm holds; less is better. Means over seeds.")
    return b.Section("unseen", "Text of unseen groups", (said, p.table("unseen", "", rows, fields)))


def behaviours(settings: Settings, found: Found) -> b.Section:
    """Build the section of behaviours before and after the training."""
    traced = [found.reference, *(one for name in settings.traced for one in found.arms[name].trainings)]
    there = [row for one in traced for row in one.behaviours]
    groups, labels = (sorted({row[name] for row in there}) for name in ("direction_group", "behaviour"))
    rows = [(group, label) for group in groups for label in labels]

    def share(training: Training, key: tuple[str, str]) -> float:
        for row in training.behaviours:
            if (row["direction_group"], row["behaviour"]) == key:
                return float(row["share"])
        return 0.0

    fields = [
        p.text("directions", lambda row: row[0].replace("_", " ")),
        p.text("behaviour", lambda row: row[1].replace("_", " ")),
        p.number("before", lambda row: b.Value(share(found.reference, row), "share")),
    ]

    def after(arm: Arm) -> Callable[[tuple[str, str]], b.Cell]:
        return lambda row: b.Value.of(mean_interval([share(one, row) for one in arm.trainings]), "share")

    fields += [p.number(f"after {name}", after(found.arms[name])) for name in settings.traced]
    said = p.lede(
        f"Shares of items by rule `{settings.behaviour_rule}` of `pivotlens trace`, before the training and after it; "
        "means over seeds with t-intervals. To look at: without correction."
    )
    return b.Section("behaviours", "What happens to the behaviours", (said, p.table("behaviours", "", rows, fields)))


def held(documents: Documents) -> b.Section:
    """Build the section of what was mined and what the arms hold."""
    pivots = documents.pivots
    left_out = p.note(
        f"Mined were {pivots['pair_pivots'] + pivots['pair_pivots_left_out']:,} pivots of pairs with "
        f"{pivots['corpus_pivots'] + pivots['corpus_pivots_left_out']:,} different tokens; "
        f"{pivots['pair_pivots_left_out']:,} with {pivots['corpus_pivots_left_out']:,} tokens are forms of words that "
        f"are tested or for development and were left out, which leaves {pivots['pair_pivots']:,} with "
        f"{pivots['corpus_pivots']:,} tokens."
    )
    parts = p.note("; ".join(f"{name}: {count:,}" for name, count in documents.parts.items()) + ".")
    kinds = [kind for kind in DOCUMENT_TYPES if any(row["document_types"].get(kind) for row in documents.arms)]

    def of_type(kind: str) -> Callable[[Row], b.Cell]:
        return lambda row: b.Value(row["document_types"].get(kind, 0.0), "share")

    arms = p.table(
        "documents",
        "Each arm as it was drawn with seed 0; shares of types are of its tokens.",
        documents.arms,
        [
            p.code("arm", "arm"),
            p.text("documents", lambda row: HOW[row["arm"]]),
            p.value("units", "units", "count"),
            p.value("tokens", "tokens", "count"),
            p.value("pivot tokens", "pivot_share", "share"),
            p.value("bridges per 1,000 tokens", "bridges", "short"),
            *(p.number(kind.replace("_", " "), of_type(kind)) for kind in kinds),
        ],
    )
    frequency = p.table(
        "frequency",
        "How often the tested words stand in each arm (seed 0), in passages of few lines: means over words and pairs. "
        "An arm that holds more of them teaches them without any pivot.",
        documents.frequency,
        [
            p.code("arm", "arm"),
            p.value("passages", "passages", "count"),
            p.value("with a word", "words", "short"),
            p.value("words that are absent", "words_absent", "share"),
            p.value("with both words of a pair", "pairs_together", "short"),
            p.value("pairs ever together", "pairs_ever_together", "share"),
        ],
    )
    return b.Section("held", "What was mined, and what the arms hold", (parts, left_out, arms, frequency))


def record(settings: Settings, found: Found, deviations: str) -> b.Section:
    """Build the section of deviations from the preregistration, and of what the results follow from."""
    said = [p.note(line) for line in deviations.splitlines() if line.strip()]
    said = said or [p.note("No deviation from the preregistration.")]
    follow = p.note(
        f"All results follow from the settings `{settings.fingerprint}`. Trainings whose documents have the same "
        "fingerprint read the same documents in another order."
    )
    rows = [(arm.name, one) for arm in found.arms.values() for one in arm.trainings]
    fields = [
        p.text("arm", lambda row: b.Code(row[0])),
        p.number("seed", lambda row: str(row[1].seed)),
        p.number("tokens", lambda row: b.Value(row[1].tokens, "count")),
        p.number("points", lambda row: points(_plain(row[1].score))),
        p.text("documents", lambda row: b.Code(row[1].documents[:12])),
    ]
    table = p.table("trainings", "Every training.", rows, fields)
    return b.Section("record", "Deviations, and every training", (*said, follow, table))
