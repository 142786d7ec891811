"""The data that the page's script reads, as compact JSON that no token can break out of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from markupsafe import Markup

from pivotlens.report.names import BEHAVIOUR_NAMES, CURVE_NAMES
from pivotlens.report.run_tables import Row
from pivotlens.report.sections.items import LensToken, TellingItem
from pivotlens.report.sections.layers import Profiles
from pivotlens.report.sections.pivots import MinedPivots
from pivotlens.report.sections.shares import in_order
from pivotlens.report.wording import direction_name, number, p_value, visible


class _Numbers(dict[Any, int]):
    """Numbers of values, in the order they are first met."""

    def __missing__(self, value: Any) -> int:
        """Give a value its number."""
        return self.setdefault(value, len(self))


def payload(items: Sequence[TellingItem], pivots: MinedPivots | None, profiles: Profiles) -> dict[str, Any]:
    """Return what the script needs.

    A token at a layer is three integers: its text, its probability in thousandths, and its role and relation times two
    plus one where it is specific to the item. An item without layers is listed with its labels alone.
    """
    texts, roles, directions, layers = _Numbers(), _Numbers(), _Numbers(), _Numbers()

    def token(each: LensToken) -> tuple[int, int, int]:
        role = roles[each.role or "other", each.relation if each.role == "pivot" else ""]
        return texts[visible(each.token)], round(1000 * each.prob), 2 * role + each.specific

    def layers_of(item: TellingItem) -> dict[str, Any]:
        if not item.layers:
            return {}
        readings = [[part for each in reading.tokens for part in token(each)] for reading in item.layers]
        return {"n": layers[tuple(reading.layer for reading in item.layers)], "r": readings}

    mined = pivots.by_item() if pivots else {}
    rules = in_order(rule for item in items for rule in item.labels)
    labels = {label for item in items for label in item.labels.values()}
    behaviours = [*BEHAVIOUR_NAMES, *sorted(labels - set(BEHAVIOUR_NAMES))]
    rows = [
        {
            "d": directions[item.direction],
            "c": visible(item.concept_id),
            "s": visible(item.source_word),
            "t": visible(item.target_word),
            "g": None if item.generated is None else visible(item.generated),
            "ok": int(item.correct),
            "am": int(item.ambiguous),
            "b": [behaviours.index(item.labels.get(rule, "none")) for rule in rules],
            "l": item.peak_layer,
            "k": None if item.peak_token is None else texts[visible(item.peak_token)],
            "p": None if item.peak_prob is None else round(1000 * item.peak_prob),
            "m": [
                [texts[visible(pivot["token"])], round(1000 * pivot["strength"])]
                for pivot in mined.get((item.direction, item.concept_id), ())
            ],
            **layers_of(item),
        }
        for item in items
    ]
    pairs = [
        {
            "d": directions[pair.direction],
            "s": visible(pair.source_word),
            "t": visible(pair.target_word),
            "v": [[texts[visible(pivot["token"])], *_evidence(pivot)] for pivot in pair.pivots],
        }
        for pair in (pivots.pairs if pivots else ())
    ]
    return {
        "items": rows,
        "layers": list(layers),
        "pairs": pairs,
        "profiles": list(map(_readouts, profiles.values())),
        "tokens": list(texts),
        "roles": list(roles),
        "directions": [[*direction, direction_name(direction)] for direction in directions],
        "behaviours": [[name, BEHAVIOUR_NAMES.get(name, name)] for name in behaviours],
        "rules": rules,
    }


def _evidence(pivot: Row) -> list[Any]:
    """Return the columns of a pair's pivot as they are shown, behind its token."""
    npmi = (number(value, 2) for value in (pivot["npmi_source"], pivot["npmi_target"]))
    strength = number(pivot["strength"])
    counts = (str(pivot["df_source"]), str(pivot["df_target"]))
    return [
        *counts,
        *npmi,
        p_value(pivot["q_value"]),
        strength,
        visible(pivot["relation"]) if pivot["relation"] else "",
    ]


def _readouts(profile: Mapping[str, Sequence[Row]]) -> list[str]:
    """Return what a chart of layers says at each of them, in their order."""
    means = {name: {row["layer"]: row["mean"] for row in rows} for name, rows in profile.items()}
    entropy = means.pop("entropy", {})
    curves = {title: means[name] for name, title in CURVE_NAMES.items() if name in means}
    said = {
        layer: [f"{name} {number(found.get(layer))}" for name, found in curves.items()]
        + ([f"entropy {number(entropy[layer], 1)}"] if layer in entropy else [])
        for layer in sorted({layer for found in (entropy, *curves.values()) for layer in found})
    }
    return [f"layer {layer}: {', '.join(parts)}" for layer, parts in said.items()]


_UNSAFE = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})


def embedded_json(value: Any) -> Markup:
    """Return JSON that is inert inside a ``script`` element: no ``<``, ``>``, ``&``, U+2028 or U+2029 is left."""
    return Markup(orjson.dumps(value).decode().translate(_UNSAFE))
