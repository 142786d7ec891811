"""The conclusion, written by the rule of the preregistration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from examples.replication.analysis import Compared, Found, Power
from examples.replication.settings import Settings
from pivotlens.report import blocks as b
from pivotlens.statistics.bootstrap import Interval

_VERDICTS = {
    "helps": "**It helps.** Documents of `{first}` give a higher Score than those of `{control}`",
    "harms": "**It does not help.** Documents of `{first}` give a lower Score than those of `{control}`",
    "null": "**A null, and what it bounds.** No difference between `{first}` and `{control}` was found",
}


def points(interval: Interval, *, signed: bool = False) -> b.Value:
    """Return a Score with its interval in points: hundredths."""
    value, low, high = (100 * end for end in interval)
    return b.Value(value, "short", Interval(value, low, high), signed)


def conclusion(settings: Settings, found: Found, can: Power) -> Iterator[b.Prose]:
    """Yield the sentences that stand first on the page: what could be found, and what was."""
    first, control = settings.primary
    yield b.prose(
        "Fixed before the first counted training: a difference of {effect} points of Score can be found (80 % power).",
        effect=points(can.detectable),
    )
    interval = found.endpoint.seeds.interval
    said = _VERDICTS[found.verdict].format(first=first, control=control)
    yield b.prose(said + ": {value} points, p = {p}.", value=points(interval, signed=True),
                  p=b.Value(found.endpoint.seeds.p, "p"))  # fmt: skip
    if found.verdict == "null":
        general = found.arms[control].gain
        yield b.prose(
            "What remains possible is what the interval holds: at most {most} of a point more and {least} of a point "
            "less, where training on `CONTROL` alone changes the Score by {gain} points.".replace("CONTROL", control),
            most=b.Value(100 * max(interval.high, 0.0), "short"),
            least=b.Value(-100 * min(interval.low, 0.0), "short"),
            gain=points(Interval(general, float("nan"), float("nan")), signed=True),
        )
    yield b.prose(_over_concepts(found), value=points(found.endpoint.concepts, signed=True))
    yield b.prose(_further(settings, found.contrasts))


def _over_concepts(found: Found) -> str:
    over_seeds, over_concepts = found.endpoint.seeds.interval, found.endpoint.concepts
    same = (over_concepts.low > 0) - (over_concepts.high < 0) == (over_seeds.low > 0) - (over_seeds.high < 0)
    return "Over concepts the same difference is {value} points: " + (
        "the conclusion is the same for other words." if same else "for other words it need not be the same."
    )


def _further(settings: Settings, contrasts: Sequence[Compared]) -> str:
    apart = [one for one in contrasts if one.adjusted_p is not None and one.adjusted_p < 0.05]
    if not apart:
        return f"Other contrasts of `{settings.primary[0]}`: {len(contrasts)}, none significant (Holm)."
    told = ", ".join(f"`{one.other}` ({'+' if one.seeds.interval.value > 0 else '−'})" for one in apart)
    return f"Other contrasts of `{settings.primary[0]}`: {len(contrasts)}, of which significant (Holm): {told}."
