"""Made-up lens readings of the report's test run: plausible curves, known labels, hostile tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from report_words import HOSTILE, JUNK

from pivotlens.artifacts import SCHEMAS
from pivotlens.text import Direction
from pivotlens.trace.agreement import agreement_rows, labels_of
from pivotlens.trace.behaviours import rule_rows
from pivotlens.trace.failures import failure_rows
from pivotlens.trace.label_counts import label_rows, threshold_rows, token_rows
from pivotlens.trace.lens_shares import lens_layer_rows, lens_share_rows
from pivotlens.trace.pivot_kinds import (
    pivot_count_rows,
    pivot_language_rows,
    pivot_link_rows,
    pivot_rows,
    pivot_summary_rows,
)
from pivotlens.trace.profiles import profile_rows
from pivotlens.trace.summary import TracedItems as ItemGrid
from pivotlens.trace.summary import strata_rows
from pivotlens.translation.failures import FAILURES

MODEL, PROMPT = "demo:gemma-3-270m", "english"
RULES = ("calibrated", "onset", "peak", "authors_peak", "authors_threshold")
Row = dict[str, Any]


class TracedItems:
    """Readings of every (direction, concept)."""

    def __init__(
        self, words: Mapping[str, Mapping[str, str]], pairs: Sequence[Direction], layers: int, rng: np.random.Generator
    ) -> None:
        self.words, self.pairs, self.layers, self.rng = words, pairs, layers, rng
        self.kind: dict[tuple[Direction, str], str] = {}
        self.correct: dict[tuple[Direction, str], bool] = {}
        for pair in pairs:
            for key in words:
                english = "en" in pair
                kinds = ("direct", "source_or_english" if pair.source == "en" else "copy", "semantic_pivot")
                weights = [0.45, 0.5, 0.05] if english else [0.2, 0.25, 0.55]
                self.kind[pair, key] = str(
                    rng.choice([*kinds, "other", "none"], p=[w * 0.9 for w in weights] + [0.05] * 2)
                )
                self.correct[pair, key] = bool(rng.random() < 0.6)

    def tables(self) -> dict[str, list[Row]]:
        """Rows of the tables of `trace`."""
        out: dict[str, list[Row]] = {name.split("/")[1]: [] for name in SCHEMAS if name.startswith("trace/")}
        for pair in self.pairs:
            for number, key in enumerate(self.words):
                self._item(out, pair, key, number)
            self._summary(out, pair)
        return out | self._sums(out) | {"rules": rule_rows()}

    def with_lens(self, out: dict[str, list[Row]]) -> dict[str, list[Row]]:
        """Add what a tuned lens says: the same labels but for every fifth item, and distances by layer."""
        tuned = [
            row | {"behaviour": "semantic_pivot", "pivot_language": "english"} if number % 5 == 0 else row
            for number, row in enumerate(out["behaviours"])
        ]
        last = self.layers - 1
        lenses = [
            self._base(pair)
            | {"layer": layer, "n": len(self.words), "same_top": layer / last, "kl_to_final_raw": 8 - 8 * layer / last}
            | {"kl_to_final_tuned": 3 - 3 * layer / last, "target_prob_raw": 0.1, "target_prob_tuned": 0.2}
            for pair in self.pairs
            for layer in range(self.layers)
        ]
        out = out | {"tuned_behaviours": tuned, "lenses": lenses}
        return out | self._sums(out)

    def swept(self, out: dict[str, list[Row]], models: Sequence[str], prompts: Sequence[str]) -> dict[str, list[Row]]:
        """Add further models and prompts, which are direct wherever the first one is not."""
        found = {name: list(rows) for name, rows in out.items()}
        for model in models:
            for prompt in prompts:
                if (model, prompt) == (MODEL, PROMPT):
                    continue
                of = {"model": model, "prompt": prompt}
                copied = {name: [row | of for row in rows] for name, rows in out.items() if name != "rules"}
                copied["behaviours"] = [
                    row | {"behaviour": "direct", "pivot_language": None} for row in copied["behaviours"]
                ]
                copied["items"] = [row | {"source_word": "elsewhere"} for row in copied["items"]]
                copied |= self._sums(copied, model, prompt)
                for name, rows in copied.items():
                    found[name] += rows
        return found

    @staticmethod
    def _sums(out: dict[str, list[Row]], model: str = MODEL, prompt: str = PROMPT) -> dict[str, list[Row]]:
        labels = labels_of(out["behaviours"], model, prompt)
        tuned = labels_of(out["tuned_behaviours"], model, prompt)
        agreement = agreement_rows(labels, tuned, 50, 0)
        pivots = pivot_rows(out["behaviours"])
        return {
            "pivot_counts": pivot_count_rows(pivots),
            "pivot_links": pivot_link_rows(pivots),
            "pivot_summary": pivot_summary_rows(pivots),
            "strata": strata_rows(ItemGrid.of(out["items"], model, prompt), labels, 50, 0),
            "agreement": [{"model": model, "prompt": prompt, **row} for row in agreement],
            "pivot_languages": pivot_language_rows(ItemGrid.of(out["items"], model, prompt), out["behaviours"], 50, 0),
            "pivots": pivots,
            "failures": failure_rows(ItemGrid.of(out["items"], model, prompt), labels, 50, 0),
            "lens_shares": [{"model": model, "prompt": prompt, **row} for row in lens_share_rows(labels, tuned, 50, 0)],
            "labels": label_rows(out["behaviours"]),
            "deciding_tokens": token_rows(out["behaviours"]),
            "thresholds": threshold_rows(out["sensitivity"]),
            "lens_layers": lens_layer_rows(
                [dict.fromkeys(SCHEMAS["trace/lenses"].names) | row for row in out["lenses"]]
            ),
            "profiles": [row for part in _layer_tables(out["layers"]) for row in profile_rows(part, 50, 0)],
        }

    def _item(self, out: dict[str, list[Row]], pair: Direction, key: str, number: int) -> None:
        source, target = self.words[key][pair.source], self.words[key][pair.target]
        kind, correct = self.kind[pair, key], self.correct[pair, key]
        base = self._base(pair) | {"concept_id": key}
        out["items"].append(
            base
            | {"source_word": source, "target_word": target, "same_spelling": source == target}
            | {"ambiguous": number == 3, "target_token_id": 9, "target_token": " " + target, "n_target_tokens": 1}
            | {"n_space_tokens": 0, "correct": correct, "calibration": True, "pos": "noun"}
            | {"band": f"{number % 3}", "failure": None if correct else FAILURES[number % len(FAILURES)]}
        )
        last = self.layers - 1
        depth = np.arange(self.layers) / last
        strength = float(self.rng.uniform(0.6, 0.97))
        curves = {
            "target": strength * (0.95 if correct else 0.2) / (1 + np.exp(-(depth - 0.9) * 40)),
            "source": strength * (0.8 if "copy" in kind or "source" in kind else 0.15) * _bump(depth, 0.55, 0.12),
            "english": strength * (0.85 if kind == "semantic_pivot" else 0.05) * _bump(depth, 0.8, 0.07),
        }
        hostile = HOSTILE[number % len(HOSTILE)]
        for layer in range(self.layers):
            masses = {name: float(curve[layer]) for name, curve in curves.items()}
            english = None if "en" in pair else masses["english"]
            out["layers"].append(
                base
                | {"layer": layer, "entropy": 9 * (1 - depth[layer]) ** 0.7 + 0.4, "kl_to_final": 8 - layer / 3}
                | {"target_rank": int(20_000 * (1 - depth[layer]) ** 3), "target_prob": masses["target"]}
                | {"mass_source": masses["source"], "mass_target": masses["target"], "mass_english": english}
                | {"mass_pivots": masses["english"] * 0.8, "mass_random": 0.004}
            )
            tokens = [
                (" " + target, masses["target"], 0.001, "target", ""),
                (" " + source, masses["source"], 0.02, "source", ""),
                (f" {key}", masses["english"], 0.002, "pivot" if "en" in pair else "english", "translation"),
                (f" {key}s", masses["english"] / 9, 0.001, "pivot", "wordnet"),
                (hostile, 0.02 + 0.2 * (layer == 5), 0.001, "", ""),
            ]
            junk = 1.0 if layer == 1 else 0.35 * (1 - depth[layer])
            tokens += [
                (JUNK[(layer + i) % len(JUNK)] if layer != 1 else "s", junk / 4**i, junk / 4**i, "", "")
                for i in range(4)
            ]
            tokens.sort(key=lambda token: -token[1])
            out["tokens"] += [
                base
                | {"layer": layer, "rank": rank + 1, "token_id": rank, "token": token, "prob": min(prob, 1.0)}
                | {
                    "baseline": baseline,
                    "above_baseline": min(prob, 1.0) >= max(0.1, 50 * baseline),
                    "role": role,
                    "relation": relation if role == "pivot" else "",
                }
                for rank, (token, prob, baseline, role, relation) in enumerate(tokens)
            ]
        peak = {"direct": (last - 1, " " + target, "target"), "copy": (round(0.55 * last), " " + source, "source")}
        peak |= {"source_or_english": peak["copy"], "semantic_pivot": (round(0.78 * last), f" {key}", "english")}
        for rule in RULES:
            label = self._label(rule, kind, key)
            layer, token, curve = peak.get(kind, (min(5, last), hostile, ""))
            written = "source" if pair.source == "en" else "target" if pair.target == "en" else "english"
            prob = float(curves[curve][layer]) if curve else 0.2
            if rule == "peak" or (rule == "authors_peak" and label == "semantic_pivot"):
                layer, token, prob = 1, "s", 1.0
            empty = label in ("none", "dropped")
            out["behaviours"].append(
                base
                | {"rule": rule, "behaviour": label, "layer": None if empty else layer}
                | {"token_id": None if empty else 1, "token": None if empty else token}
                | {"prob": None if empty else prob, "correct": correct}
                | {"relation": None if empty else f"translation:en{' (form)' if len(key) % 2 else ''}"}
                | {"languages": None if empty else ["en"] if number % 4 else ["de", "en"]}
                | {"pivot_language": (written if number % 4 else "several") if "pivot" in label else None}
            )

    def _label(self, rule: str, kind: str, key: str) -> str:
        if rule == "calibrated":
            return kind
        if rule == "onset":
            return "semantic_pivot" if kind == "semantic_pivot" and len(key) % 3 else "direct"
        if rule == "authors_peak":
            if key == "table":
                return "dropped"
            return "direct" if kind == "direct" and len(key) % 2 else "semantic_pivot"
        return "semantic_pivot"

    def _summary(self, out: dict[str, list[Row]], pair: Direction) -> None:
        rows = [row for row in out["behaviours"] if (row["source_language"], row["target_language"]) == tuple(pair)]
        base = {key: value for key, value in self._base(pair).items() if key != "shot_set"}
        for rule in RULES:
            for items in ("all", "correct"):
                labels = [
                    row["behaviour"] for row in rows if row["rule"] == rule and (items == "all" or row["correct"])
                ]
                for behaviour in sorted(set(labels)):
                    share = labels.count(behaviour) / max(1, len(labels))
                    half = 1.96 * float(np.sqrt(share * (1 - share) / max(1, len(labels))))
                    out["summary"].append(
                        base
                        | {"rule": rule, "behaviour": behaviour, "item_set": items, "n": len(labels), "share": share}
                        | {"ci_low": max(0.0, share - half), "ci_high": min(1.0, share + half)}
                    )
        for threshold in (0.02, 0.05, 0.1, 0.2):
            for ratio in (2.0, 3.0, 5.0):
                share = max(0.0, 0.5 - threshold - ratio / 50)
                for behaviour, value in (("semantic_pivot", share), ("direct", 0.3)):
                    out["sensitivity"].append(
                        base
                        | {
                            "shot_set": 0,
                            "threshold": threshold,
                            "ratio": ratio,
                            "behaviour": behaviour,
                            "n": 16,
                            "share": value,
                        }
                    )

    @staticmethod
    def _base(pair: Direction) -> Row:
        return {"model": MODEL, "prompt": PROMPT, "shot_set": 0} | {
            "source_language": pair.source,
            "target_language": pair.target,
        }


def _layer_tables(layers: Sequence[Row]) -> list[pa.Table]:
    """Rows of the layers as a table a direction."""
    by_direction: dict[tuple[str, str], list[Row]] = {}
    for row in layers:
        by_direction.setdefault((row["source_language"], row["target_language"]), []).append(row)
    return [pa.Table.from_pylist(rows, schema=SCHEMAS["trace/layers"]) for rows in by_direction.values()]


def _bump(x: np.ndarray, centre: float, width: float) -> np.ndarray:
    return np.exp(-(((x - centre) / width) ** 2))
