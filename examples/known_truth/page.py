"""Write the page from the kept tables: `python -m examples.known_truth.page RESULTS PAGE [FIRST_PASS]`."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from examples.command import told
from examples.known_truth import questions as ask
from examples.known_truth.estimates import Estimate
from examples.known_truth.kept import Kept, load_kept
from examples.known_truth.plan import MAIN, SELECTION
from examples.known_truth.selection import BASE, SELECTED
from pivotlens.artifacts.files import write_bytes
from pivotlens.errors import PrerequisiteError

_ARMS = ("D", "D16", "D4", "D1", "P", "X", "N", "H", "M")
_MEANING = {
    "D": "A–B, A–C and B–C (64 documents)",
    "D16": "A–B, A–C and B–C (16)",
    "D4": "A–B, A–C and B–C (4)",
    "D1": "A–B, A–C and B–C (1)",
    "P": "A–B and A–C: only the hub binds",
    "X": "E–B and E–C: only a rarer language binds",
    "N": "B–C alone (64): no hub",
    "H": "A–B alone",
    "M": "nothing",
}
_HEADER = (
    "Written by `python -m examples.known_truth.page` from the tables in `{folder}`; the questions are those of the\n"
    "[preregistration](../../examples/known_truth/preregistration.md). Means over seeds, each a world of its own; in\n"
    "brackets 95 % t-intervals over seeds."
)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def page(kept: dict[str, Kept], folder: str, first: dict[str, Kept] | None = None) -> str:
    """Return the page.

    Args:
        kept: Tables by world.
        folder: Where they are, as the page says it.
        first: Tables of an earlier pass, whose main figures stand beside.
    """
    main = kept[MAIN]
    parts = [
        "# How far each instrument can be trusted",
        _HEADER.format(folder=folder),
        "Worlds and their seeds: "
        + "; ".join(f"{name} {', '.join(map(str, of.seeds))}" for name, of in sorted(kept.items()))
        + ".",
        (Path(__file__).parent / "deviations.md").read_text(encoding="utf-8").strip(),
        "Languages A (the hub, English), B, C and E; arms by which of a concept's words ever meet: D all, P all but "
        "B–C, N B–C alone, H A–B alone, M none, X E–B and E–C; numbers after D are documents with B–C. Score: how much "
        "more probable the right word is after its source word than after others. More: "
        "[the world](../../examples/known_truth/README.md).",
        *_answers(main, kept.get(SELECTION)),
        *_trust(kept, first),
        *_transfer(main),
        *_behaviours(main),
        *_causality(main),
        *_attribution(main),
        *_mining(main),
        *(_selection(kept[SELECTION]) if SELECTION in kept else []),
        *_hub(kept),
        *_check(main),
    ]
    return "\n\n".join(parts) + "\n"


def _verdict(estimate: Estimate) -> str:
    """Return whether the interval over seeds lies above 0, below it, or holds it, with the figures."""
    if np.isnan(estimate.low):
        return f"not told yet, {estimate.shown()}"
    verdict = "above 0" if estimate.low > 0 else "below 0" if estimate.high < 0 else "not told from 0"
    return f"{verdict}, {estimate.shown()}"


def _best_rule(main: Kept) -> tuple[tuple[str, str], Estimate]:
    """Return the rule and lens that tell most, with how much; those without any item come last."""
    found = {rule: ask.told_apart(main, *rule) for rule in ask.rules(main)}
    best = max(found, key=lambda rule: np.nan_to_num(found[rule].mean, nan=-1.0))
    return best, found[best]


def _gain(selection: Kept) -> Estimate:
    return ask.selected_between(selection, "top", "random", arm="P", direction=_LEGS)


def _answers(main: Kept, selection: Kept | None) -> list[str]:
    """Return an answer to each question, by the rules of the preregistration."""
    layer = ask.layers(main)[-1]
    bound, half, alone = (ask.transfer(main, arm, "correct").mean for arm in ("P", "H", "M"))
    direct = ask.transfer_between(main, "D", "M")
    control = bound > 0.6 and max(half, alone) < 0.25 and direct.low > 0
    behave = "are not told yet" if np.isnan(direct.low) else "behave" if control else "do not behave"
    apart = [f"`{rule}` ({lens})" for rule, lens in ask.rules(main) if ask.told_apart(main, rule, lens).low > 0]
    rows = [
        ("1", "Does a hub carry translation between words that never meet?",
         f"P − M {_verdict(ask.transfer_between(main, 'P', 'M'))}; P − H "
         f"{_verdict(ask.transfer_between(main, 'P', 'H'))}. The controls {behave}: "
         f"{bound:.0%} of P are right, {half:.0%} of H, {alone:.0%} of M."),
        ("2", "Do the rules tell words that never met from words that met?",
         f"{len(apart)} of {len(ask.rules(main))} do, the best by "
         f"{_best_rule(main)[1].shown()} of the items: {', '.join(apart) or 'none'}."),
        ("3", "Is the hub's word needed where only the hub binds?",
         f"P − D {_verdict(ask.removal_between(main, 'P', 'D'))}; P − N "
         f"{_verdict(ask.removal_between(main, 'P', 'N'))} nats; below 0 would mean that it is."),
        ("4", "Does the true joint count tell the behaviours apart?", f"AUC {ask.joint_auc(main).shown()}."),
        ("5", "Does mining find the planted pivots?",
         f"First of their pair: {ask.mined_first(main).shown()}; first pivots that are planted: "
         f"{ask.mined_precision(main).shown()}."),
        ("6", "Does selecting by bridges help?",
         "Not run yet." if selection is None else f"`top` − `random` {_verdict(_gain(selection))}; of its tokens "
         f"{ask.selected_kinds(selection, 'top', ask.BINDING).mean:.0%} bind, of `random`'s "
         f"{ask.selected_kinds(selection, 'random', ask.BINDING).mean:.0%}."),
        ("7", "Is the pivot the co-occurring language or the frequent one?",
         f"E's word − the hub's in X {_verdict(ask.neighbour_above_hub(main, layer))}."),
    ]  # fmt: skip
    return ["## The seven answers", table(("", "question", "answer"), rows)]


def _trust(kept: dict[str, Kept], first: dict[str, Kept] | None) -> list[str]:
    rows = _held_against(kept)
    header = ["instrument", "held against the truth", "mean [95 % over seeds]"]
    if first is None:
        return ["## At a glance", table(header, rows)]
    before = _held_against(first)
    seeds = ", ".join(map(str, first[MAIN].seeds))
    return [
        "## At a glance",
        table([*header, f"first pass ({seeds})"],
              [(*now, then[-1]) for now, then in zip(rows, before, strict=True)]),
    ]  # fmt: skip


def _held_against(kept: dict[str, Kept]) -> list[tuple[str, str, str]]:
    main, selection = kept[MAIN], kept.get(SELECTION)
    best, by = _best_rule(main)
    layer = ask.layers(main)[-1]
    equal, counted = ask.counts_equal(main)
    rows = [
        ("`score`", "Score, only the hub binding (P) − nothing (M)", ask.transfer_between(main, "P", "M").shown()),
        ("`count`", "joint counts that are the documents' own", f"{equal:,} of {counted:,}"),
        ("`mine`", "first pivot is the planted one, of all pairs with any", ask.mined_precision(main).shown()),
        ("`mine`", "planted pivots that are mined first", ask.mined_first(main).shown()),
        (
            "`trace`, rules",
            f"semantic pivot: share where only a neighbour binds − where the words meet; best of all rules "
            f"(`{best[0]}`, {best[1]} lens)",
            by.shown(),
        ),
        ("`trace`, hub's mass", "AUC, P against N (hub binds against no hub)",
         ask.layer_auc(main, "P", "N", layer, "mass_hub").shown()),
        ("`trace`, hub's mass", "AUC, P against D (words never meet against words meet)",
         ask.layer_auc(main, "P", "D", layer, "mass_hub").shown()),
        ("`trace`, hub over target", "AUC, P against D; of the target alone "
         + ask.layer_auc(main, "D", "P", layer, "target_prob").shown_share(),
         ask.layer_auc(main, "P", "D", layer).shown_share()),
        ("`attribute`", "AUC of the true joint count, direct against semantic pivot", ask.joint_auc(main).shown()),
        ("`ablate`", "hub's word taken out, P − D, nats (negative: P is harmed more)",
         ask.removal_between(main, "P", "D").shown()),
    ]  # fmt: skip
    if selection is not None:
        rows += [
            ("`select`", "share of the tokens in documents that bind, `top` − `random`",
             ask.binding_between(selection, "top", "random").shown()),
            ("`select`", "Score of P between B and C, `top` − `random`", _gain(selection).shown()),
        ]  # fmt: skip
    return rows


_LEGS = ("qaa-qab", "qab-qaa")
_WITH_HUB = ("en-qaa", "en-qab")


def _tokens(tokens: int | None) -> str:
    return "end" if tokens is None else f"{tokens / 1e6:.1f}M"


def _transfer(main: Kept) -> list[str]:
    tokens = ask.checkpoints(main)
    rows = [
        (
            arm,
            _MEANING[arm],
            *(ask.transfer(main, arm, "correct", at).shown() for at in tokens),
            ask.transfer(main, arm).shown(),
            ask.transfer(main, arm).shown_concepts(),
        )
        for arm in _ARMS
    ]
    contrasts = [
        (f"{one} − {other}", estimate.shown(), estimate.shown_concepts())
        for one, other in (("P", "M"), ("P", "H"), ("X", "M"), ("N", "M"), ("D", "P"), ("D1", "P"), ("P", "X"))
        for estimate in [ask.transfer_between(main, one, other)]
    ]
    return [
        "## 1. Does a hub carry translation between words that never meet?",
        "Share of items between B and C that are answered rightly, after so many tokens, and the Score at the end.",
        table(("arm", "what meets", *map(_tokens, tokens), "Score", "over concepts"), rows),
        table(("contrast in Score", "over seeds", "over concepts"), contrasts),
        "With a common slope by the logarithm of how often a concept's words of B and C are read: P − M "
        f"{ask.transfer_adjusted(main, 'P', 'M').shown()}, P − H {ask.transfer_adjusted(main, 'P', 'H').shown()}. Mean "
        f"counts of words and of answers differ between arms by {ask.imbalance(main):.1%} at most.",
        "Words that never meet in a document can meet in training, which packs documents into sequences: the share of "
        "concepts whose words of B and C stood in one, and what is answered rightly of the others at the end.",
        table(
            ("arm", "in one sequence", "of the others, right"),
            [(arm, ask.met_in_training(main, arm).shown_share(), ask.right_unmet(main, arm).shown_share())
             for arm in ("P", "H", "M")],
        ),
    ]  # fmt: skip


_AUCS = ("hub / target, P–D", "target, D–P", "hub, P–D", "hub, P–N", "hub, D–N")


def _behaviours(main: Kept) -> list[str]:
    rules = [
        (
            f"`{rule}`",
            lens,
            *(ask.pivot_share(main, rule, lens, arm).shown_share() for arm in ("P", "X", "D", "N")),
            ask.told_apart(main, rule, lens).shown(),
            ask.told_apart(main, rule, lens).shown_concepts(),
            ask.told_apart(main, rule, lens, neighbour=True).shown(),
            ask.precision(main, rule, lens).shown_share(),
        )
        for rule, lens in ask.rules(main)
    ]
    readings = [
        (
            str(layer),
            *(
                f"{ask.layer_mean(main, 'mass_hub', arm, layer).mean:.3f} / "
                f"{ask.layer_mean(main, 'target_prob', arm, layer).mean:.3f}"
                for arm in ("P", "D", "N", "H", "X")
            ),
            f"{ask.layer_mean(main, 'mass_fourth', 'X', layer).mean:.3f}",
            ask.layer_auc(main, "P", "D", layer).shown_share(),
            ask.layer_auc(main, "D", "P", layer, "target_prob").shown_share(),
            ask.layer_auc(main, "P", "D", layer, "mass_hub").shown_share(),
            ask.layer_auc(main, "P", "N", layer, "mass_hub").shown_share(),
            ask.layer_auc(main, "D", "N", layer, "mass_hub").shown_share(),
        )
        for layer in ask.layers(main)
    ]
    layer = ask.layers(main)[-1]
    stages = [
        (
            _tokens(tokens),
            *(
                f"{hub.mean:.3f} / {target.mean:.3f}"
                for arm in ("P", "D", "N")
                for hub, target in [ask.stage_means(main, arm, layer, tokens)]
            ),
        )
        for tokens in ask.checkpoints(main)
    ]
    doses = [
        (arm, *(ask.pivot_share(main, rule, "raw", arm).shown() for rule in ("calibrated", "authors_threshold")))
        for arm in ask.DOSED
    ]
    return [
        "## 2. Do the layers tell words that never met from words that met?",
        "Of the items answered rightly, the share that each rule calls `semantic_pivot`; the share where only a "
        "neighbour binds (P, X) minus that where the words meet (D, N), with any pivot, its interval over concepts, "
        "and with those alone that write the neighbour's word; and what share of the semantic pivots only a neighbour "
        "binds, if half of all items were so (0.50 is chance).",
        table(
            ("rule", "lens", "P", "X", "D", "N", "apart", "over concepts", "neighbour's word apart", "precision"), rules
        ),
        "Hub / target, raw lens, by layer; E's word in X; and AUCs: of hub over target, of the target alone "
        "and of the hub alone for P against D, and of the hub alone for P and for D against N.",
        table(("layer", "P", "D", "N", "H", "X", "E in X", *_AUCS), readings),
        f"Hub / target at layer {layer} in the course of the training.",
        table(("tokens", "P", "D", "N"), stages),
        "Share of semantic pivots by dose.",
        table(("arm", "`calibrated`", "`authors_threshold`"), doses),
    ]


def _causality(main: Kept) -> list[str]:
    rows = [
        (
            arm,
            ask.removed_items(main, arm),
            ask.removal(main, arm).shown(),
            ask.removal(main, arm).shown_concepts(),
            ask.moved_from_target(main, arm).shown(),
        )
        for arm in _ARMS
    ]
    rows += [
        (f"{one} − {other}, paired", "", found.shown(), found.shown_concepts(), "")
        for one, other in (("P", "D"), ("P", "N"))
        for found in [ask.removal_between(main, one, other)]
    ]
    return [
        "## 3. Is the hub needed where only the hub binds?",
        "Change of log P of the target when the hub's word is taken out, net of random vectors, in nats; pairs have "
        "the nearest clean log-probability. Positive control: moved equally far, but away from the target itself.",
        table(("arm", "items by seed", "over seeds", "over concepts", "positive control"), rows),
    ]


def _attribution(main: Kept) -> list[str]:
    equal, counted = ask.counts_equal(main)
    rows = [
        (
            f"AUC of the true joint count, direct against semantic pivot ({ask.attributed_items(main)} pivots by seed)",
            ask.joint_auc(main).shown_share(),
        ),
        ("Spearman's ρ of the joint count with the Score, where the hub binds", ask.dose_correlation(main).shown()),
        ("joint counts of `count` that are the documents' own", f"{equal:,} of {counted:,}"),
    ]
    return ["## 4. Does the true joint count tell the behaviours apart?", table(("", ""), rows)]


def _mining(main: Kept) -> list[str]:
    rows = [
        ("planted pivots mined first of their pair", ask.mined_first(main).shown()),
        ("planted pivots mined at all", ask.mined_at_all(main).shown()),
        ("first pivots that are planted, of all pairs with any", ask.mined_precision(main).shown()),
        *(
            (f"pairs of {arm} with any pivot, where none is planted", ask.mined_falsely(main, arm).shown())
            for arm in ("N", "H", "M")
        ),
    ]
    return ["## 5. Does mining find the planted pivots?", table(("", ""), rows)]


def _selection(selection: Kept) -> list[str]:
    rows = [
        (
            f"`{name}`",
            *(
                "–" if name == BASE else ask.selected_kinds(selection, name, (kind,)).shown_share()
                for kind in ("pair", "list", "decoy")
            ),
            ask.selected_score(selection, name, arm="P", direction=_LEGS).shown(),
            ask.selected_score(selection, name, direction=_WITH_HUB).shown(),
        )
        for name in (*SELECTED, BASE)
    ]
    contrasts = [
        (
            f"`top` − `{other}`",
            *(
                text
                for of in ({"arm": "P", "direction": _LEGS}, {"direction": _WITH_HUB})
                for found in [ask.selected_between(selection, "top", other, **of)]
                for text in (found.shown(), found.shown_concepts())
            ),
        )
        for other in SELECTED[1:]
    ]
    return [
        "## 6. Does selecting pivot-rich documents help?",
        "Some of the pool's sentence documents in two languages bind them, most (decoys) only look like it. Each arm "
        "trains the same base model on equally many tokens, beside the lists that all of them read again.",
        table(("arm", "tokens in pairs", "in lists", "in decoys", "Score, P, B–C", "Score, A→B and A→C"), rows),
        table(("contrast", "P, B–C", "over concepts", "A→B, A→C", "over concepts"), contrasts),
    ]


def _check(main: Kept) -> list[str]:
    rows = [
        (
            str(seed),
            *(
                "–" if np.isnan(value) else f"{value:.4f}"
                for own, second in (
                    (ask.transfer(of_seed, "P"), "score"),
                    (ask.precision(of_seed, "authors_threshold", "raw"), "precision"),
                )
                for value in (own.mean, main.rows(seed, "check")[0][second])
            ),
        )
        for seed in main.seeds
        for of_seed in [main.only(seed)]
    ]
    return [
        "## A second implementation",
        "`examples/known_truth/check.py` shares no code with pivotlens: Score of P, and precision of "
        "`authors_threshold`, by seed.",
        table(("seed", "Score", "second", "precision", "second"), rows),
    ]


def _hub(kept: dict[str, Kept]) -> list[str]:
    names = [name for name in kept if name != SELECTION]
    layer = ask.layers(kept[MAIN])[-1]
    rows = [
        (
            name,
            *(ask.transfer(kept[name], arm).shown() for arm in ("P", "X", "M")),
            *(
                f"{ask.layer_mean(kept[name], 'mass_hub', arm, layer).shown(3)} / "
                f"{ask.layer_mean(kept[name], 'target_prob', arm, layer).mean:.3f}"
                for arm in ("P", "D")
            ),
            ask.layer_auc(kept[name], "P", "D", layer).shown(),
            *(
                ask.layer_mean(kept[name], column, "X", layer).shown(3)
                for column in ("mass_fourth", "mass_hub")
            ),
        )
        for name in sorted(names)
    ]  # fmt: skip
    return [
        "## 7. Is the pivot the co-occurring language or the frequent one?",
        f"Worlds that differ in the language of the text that stands alone; layer {layer}.",
        f"In X, E's word minus the hub's in the main world: {ask.neighbour_above_hub(kept[MAIN], layer).shown(3)}.",
        table(
            ("world", "Score P", "X", "M", "hub / target in P", "in D", "AUC P–D", "E in X", "hub in X"),
            rows,
        ),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m examples.known_truth.page", description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("page", type=Path)
    parser.add_argument("first", type=Path, nargs="?", help="results of an earlier pass")
    options = parser.parse_args(arguments)
    return told(lambda: _write(options.results, options.page, options.first))


def _write(results: Path, to: Path, earlier: Path | None) -> None:
    kept, first = load_kept(results), load_kept(earlier) if earlier else None
    for folder, found in ((results, kept), (earlier, first)):
        if found is None or MAIN in found:
            continue
        raise PrerequisiteError(
            f"{folder} holds no finished seed of the world {MAIN!r}",
            "Run `python -m examples.known_truth RUN --results` with this folder first.",
        )
    write_bytes(to, page(kept, str(results), first).encode())


if __name__ == "__main__":
    raise SystemExit(main())
