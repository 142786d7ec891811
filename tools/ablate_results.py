"""Write docs/results/pivot-causality.md from finished runs, so that its figures cannot drift from their artifacts.

python -m tools.ablate_results RUN RUN    # take the small tables of the runs (one a wording), then write the page
python -m tools.ablate_results            # write the page again from docs/results/pivot-causality/
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pivotlens.artifacts import Ablation, Trace
from tools.results_pages import RESULTS, Row, list_version, markdown_table, write_from_runs

DATA = RESULTS / "pivot-causality"
PAGE = RESULTS / "pivot-causality.md"
_TABLES = ("windows", "effects", "conditions", "side_effects")
_SCOPES = {"neither_english": "neither side English", "with_english": "English as a side"}
_SUBSETS = {
    "all": "all pivots",
    "english_pivot": "the pivot is the English word",
    "correct": "the model's own answer is right",
}
_CONTRASTS = {
    "own": "the pivot taken out",
    "random": "random directions",
    "matched": "a token of like frequency in the lens",
    "other": "another item's pivot",
    "early": "the pivot in the first layers",
    "synonym": "the concept's word in a third language",
    "last_layer": "the same Δh right before the final norm",
    "own_minus_random": "pivot − random directions",
    "own_minus_matched": "pivot − token of like frequency",
    "own_minus_other": "pivot − another item's pivot",
    "own_minus_early": "pivot − first layers",
    "own_minus_synonym": "pivot − third-language word",
    "own_minus_last_layer": "pivot − same Δh before the final norm",
    "swap": "another concept's target, its pivot swapped in",
    "swap_unrelated": "the same with an unrelated pivot",
    "swap_minus_unrelated": "swap − unrelated swap",
    "dose_0.5_step": "dose 0 → 0.5",
    "dose_1_step": "dose 0.5 → 1",
    "dose_2_step": "dose 1 → 2",
    "direct_own": "direct items: the English word taken out",
    "direct_random": "direct items: random directions",
    "own_minus_direct": "pivot items − direct items",
    "net_minus_direct": "the same, each net of its random directions",
    "clean_minus_direct": "clean log P of the pairs",
}


def collect(runs: Sequence[Path]) -> None:
    """Take what the page needs from finished runs."""
    shutil.rmtree(DATA, ignore_errors=True)
    for number, run in enumerate(runs):
        ablation, trace = Ablation.load(run), Trace.load(run)
        folder = DATA / f"{number}-{ablation.manifest.details['prompt']}@{list_version(run)}"
        folder.mkdir(parents=True)
        for name in _TABLES:
            shutil.copy(ablation.folder / f"{name}.parquet", folder / f"{name}.parquet")
        shutil.copy(ablation.folder / "manifest.json", folder / "manifest.json")
        (folder / "manipulation.json").write_text(json.dumps(ablation.rows("removals"), indent=1) + "\n", "utf-8")
        (folder / "trace.json").write_text(
            json.dumps({"config": trace.manifest.config, "inputs": trace.manifest.inputs}, indent=1) + "\n", "utf-8"
        )


def page(data: Path = DATA) -> str:
    """Return the page."""
    runs = [_read(folder) for folder in sorted(data.iterdir()) if folder.is_dir()]
    lines = [
        "# Is the English pivot causal?",
        "<!-- Written by tools/ablate_results.py from docs/results/pivot-causality; do not edit. -->",
        "",
        *_answer(runs),
        "",
        "## What was done",
        "",
        *_method(runs),
    ]
    for one in runs:
        lines += ["", f"## The {one['prompt']} prompt", "", *_of_run(one)]
    return "\n".join(lines) + "\n"


def _read(folder: Path) -> dict[str, Any]:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    tables = {name: pq.read_table(folder / f"{name}.parquet").to_pylist() for name in _TABLES}
    return {
        **tables,
        "config": manifest["config"],
        "details": manifest["details"],
        "inputs": manifest["inputs"],
        "warnings": manifest["warnings"],
        "prompt": manifest["details"]["prompt"],
        "list_version": folder.name.partition("@")[2],
        "manipulation": json.loads((folder / "manipulation.json").read_text(encoding="utf-8")),
        "trace": json.loads((folder / "trace.json").read_text(encoding="utf-8")),
    }


def _answer(runs: Sequence[dict[str, Any]]) -> list[str]:
    name = str(runs[0]["details"]["model"]).rpartition(":")[2]
    verdicts = {one["prompt"]: one["details"]["causal"]["neither_english"] for one in runs}
    if all(verdicts.values()):
        answer = "**Yes**, by all five conditions that were set in advance, under both wordings."
    elif None in verdicts.values():
        answer = "**Not known**: some of the five conditions that were set in advance could not be tested."
    else:
        answer = "**Not shown**: causality was to be claimed only if all five conditions hold. " + " ".join(
            _count(one) for one in runs
        )
    held = [
        [
            f"{number}. {_condition(runs[0], number)['condition']}",
            *(_holds(_condition(one, number)["holds"]) for one in runs),
        ]
        for number in range(1, 6)
    ]
    return [
        f"In {name}, over directions with neither side English. {answer}",
        "",
        *markdown_table(["condition", *(f"{one['prompt']} prompt" for one in runs)], held, numbers=False),
        "",
        "Each condition holds if every interval it rests on lies wholly on its side of 0; the figures are below.",
    ]


def _condition(one: dict[str, Any], number: int, items: str = "all", scope: str = "neither_english") -> Row:
    found: Row = next(
        row for row in one["conditions"] if (row["scope"], row["items"], row["number"]) == (scope, items, number)
    )
    return found


def _count(run: dict[str, Any]) -> str:
    """Say how many conditions hold over all pivots of a run, and which fail."""
    holds = {number: _condition(run, number)["holds"] for number in range(1, 6)}
    held = sum(value is True for value in holds.values())
    said = [f"{held or 'none'} of the five {'holds' if held <= 1 else 'hold'}"]
    for value, word in ((False, "fail"), (None, "could not be tested")):
        numbers = [str(number) for number, found in holds.items() if found is value]
        if numbers and (len(numbers) < len(holds) or value is None):
            said.append(f"{', '.join(numbers)} {word}{'s' if value is False and len(numbers) == 1 else ''}")
    return f"Under the {run['prompt']} prompt {'; '.join(said)}."


def _holds(value: bool | None) -> str:
    return {True: "holds", False: "fails", None: "not testable"}[value]


def _method(runs: Sequence[dict[str, Any]]) -> list[str]:
    first = runs[0]
    config, details, traced = first["config"], first["details"], first["trace"]["config"]
    limit = "" if traced["limit"] is None else f"{traced['limit']} concepts of "
    tied = (
        "Input and output embeddings are tied: a token's direction is also that of its embedding; the embeddings "
        "themselves are never changed."
        if details["tied_embeddings"]
        else ""
    )
    lines = [
        f"Items of {limit}the bundled list `word-translation@{runs[0]['list_version']}`, directions "
        f"{', '.join(details['directions'])}; {traced['shots']} examples a prompt. "
        "A pivot item is one that rule `calibrated` of the trace calls "
        "`semantic_pivot`; its pivot is the token that decided. Words spelled alike and items whose two words begin "
        "with one piece are left out. Half of the concepts chose the window of layers, the other half was tested: no "
        "figure but the choice of the window rests on the first half.",
        "",
        "At each layer of the window, at the position that predicts the answer's first content token and nowhere else, "
        "the pivot's direction is taken out of the block's output: the gradient of its lens logit through the model's "
        "own norm and head, made orthogonal to those of the target and the source. The norm only scales, so that "
        "gradient is "
        "orthogonal to the state at which it is taken, so a plain projection would change nothing. Taken out is "
        f"the component in which the state differs from the mean of up to {config['reference']} other items of the "
        "direction. Dose 1 puts the component where the others have it, dose 2 as far on the other side.",
        "",
        "Controls move the state as far, at every layer, away from another token or along a random direction "
        f"({config['random_directions']} an item, averaged). The early control is the same removal in the first "
        "layers. The third-language word is the concept's word in a language that is neither side's nor the pivot's. "
        "A change is that of log P of the whole target, all its tokens, in nats; negative is harm. Means over "
        "directions, 95 % bootstrap intervals over concepts with all directions of theirs, p of a two-sided sign-flip "
        "test over concepts.",
        "",
        "A trivial path remains. The direction is orthogonal to the target's, so a Δh that no later block reads leaves "
        "the target's logit almost as it was; but it lowers the pivot's, which the softmax gives to the target. The "
        "same Δh added right before the final norm measures that: it is the part of the change that needs no "
        f"computation. No window reaches the last {config['last_layers']} layers. {tied}",
        "",
        "```sh",
    ]
    for one in runs:
        given, traced = one["config"], one["trace"]["config"]
        run = f"RUN-{one['prompt']}"
        limit = "" if traced["limit"] is None else f" --limit {traced['limit']}"
        lines += [
            f"pivotlens bench --run {run} --words word-translation@{one['list_version']}",
            f"pivotlens trace --run {run} --model {traced['model']} --prompt {one['prompt']}{limit} \\",
            f"    --directions {' '.join(one['details']['directions'])}",
            f"pivotlens ablate --run {run} --max-items {given['max_items']}",
        ]
    lines += ["```", "", f"Model `{details['model_fingerprint'][:16]}`, opened from 4-bit weights."]
    return lines


def _of_run(one: dict[str, Any]) -> list[str]:
    details = one["details"]
    window, early = details["window"], details["early"]
    lines = [
        f"{details['pivot_items']} pivot items, {details['pivot_items_tested']} of them tested; "
        f"{details['direct_items']} direct items. Window: blocks {window[0]} to {window[-1]} of "
        f"{details['layers'] - 1}; early control: {early[0]} to {early[-1]}."
        if early
        else f"Window: blocks {window[0]} to {window[-1]}.",
        "",
        *markdown_table(
            ["candidate window", "items", "pivot", "another item's pivot", ""],
            (
                [f"{row['first_layer']}–{row['last_layer']}", str(row["n"]), f"{row['own']:+.3f}",
                 f"{row['other']:+.3f}", "chosen" if row["chosen"] else ""]
                for row in one["windows"]
            ),
        ),
        "",
        "What the removal does to the lens, medians over the tested items: the pivot's probability at the window's "
        "last layer, how far the state moves, and the divergence of the next token.",
        "",
        *markdown_table(
            ["dose", "P of the pivot before", "after", "‖Δh‖ / ‖h‖", "KL (nats)"],
            (
                [f"{row['dose']:g}", f"{row['pivot_prob_clean']:.3f}", f"{row['pivot_prob']:.4f}",
                 f"{row['relative_norm']:.2%}", f"{row['kl']:.3f}"]
                for row in one["manipulation"]
            ),
        ),
    ]  # fmt: skip
    for scope, title in _SCOPES.items():
        if any(row["scope"] == scope and row["n"] for row in one["effects"]):
            lines += ["", f"### {title[0].upper()}{title[1:]}", "", *_of_scope(one, scope)]
    lines += ["", "### By direction", ""]
    names = ("own", "own_minus_random", "own_minus_other", "swap_minus_unrelated", "own_minus_last_layer")
    found = {
        (row["source_language"], row["target_language"], row["contrast"]): row
        for row in one["effects"]
        if row["scope"] == "direction" and row["items"] == "all"
    }
    pairs = list(dict.fromkeys((source, target) for source, target, _ in found))
    lines += markdown_table(
        ["direction", "items", *(_CONTRASTS[name] for name in names)],
        (
            [f"{source}→{target}", str(found[source, target, "own"]["n"]),
             *(_with_interval(found.get((source, target, name))) for name in names)]
            for source, target in pairs
            if (source, target, "own") in found
        ),
    )  # fmt: skip
    if one["warnings"]:
        lines += ["", "Warnings of the run: " + "; ".join(one["warnings"]) + "."]
    return lines


def _of_scope(one: dict[str, Any], scope: str) -> list[str]:
    lines = markdown_table(
        ["condition", *_SUBSETS.values()],
        (
            [f"{number}. {_condition(one, number, 'all', scope)['condition']}",
             *(_holds(_condition(one, number, items, scope)["holds"]) for items in _SUBSETS)]
            for number in range(1, 6)
        ),
        numbers=False,
    )  # fmt: skip
    by_name: dict[str, dict[str, Row]] = {}
    for row in one["effects"]:
        if row["scope"] == scope:
            by_name.setdefault(row["contrast"], {})[row["items"]] = row
    lines += ["", "What each rests on, over all pivots; every interval must lie wholly on its side of 0:", ""]
    lines += [f"{number}. {_readable(_condition(one, number, 'all', scope)['rests_on'])}" for number in range(1, 6)]
    counts = "; ".join(
        f"{title}: {by_name['own'][items]['n'] if items in by_name['own'] else 0}" for items, title in _SUBSETS.items()
    )
    lines += ["", f"Change of log P (nats). Items: {counts}.", ""]
    lines += markdown_table(
        ["", *(f"{title}" for title in _SUBSETS.values()), "items", "p (all)"],
        (
            [title, *(_with_interval(by_name[name].get(items)) for items in _SUBSETS),
             str(by_name[name]["all"]["n"]), _p(by_name[name]["all"]["p"])]
            for name, title in _CONTRASTS.items()
            if name in by_name
        ),
    )  # fmt: skip
    lines += ["", "Side effects of taking the same directions out elsewhere:", ""]
    reads = {
        "own": "the items themselves",
        "unrelated_item": "another item of the direction",
        "unrelated_text": "plain text",
    }
    lines += markdown_table(
        ["what is read", "n", "change of log P", "KL (nats)", "‖Δh‖ / ‖h‖"],
        (
            [reads[row["read"]], str(row["n"]), _bounds(row, "change"), _bounds(row, "kl"),
             "" if row["relative_norm"] is None else f"{row['relative_norm']:.2%}"]
            for row in one["side_effects"]
            if row["scope"] == scope
        ),
    )  # fmt: skip
    return lines


def _readable(rests_on: str) -> str:
    parts = (part.partition(": ") if "too few" in part else part.partition(" ") for part in rests_on.split("; "))
    return "; ".join(f"{_CONTRASTS.get(name, name)} {rest}" for name, _, rest in parts) + "."


def _with_interval(row: Row | None) -> str:
    if row is None or row["mean"] is None:
        return ""
    return f"{row['mean']:+.3f} [{row['ci_low']:+.3f}, {row['ci_high']:+.3f}]"


def _bounds(row: Row, name: str) -> str:
    if row[name] is None:
        return ""
    return f"{row[name]:+.3f} [{row[f'{name}_low']:+.3f}, {row[f'{name}_high']:+.3f}]"


def _p(value: float | None) -> str:
    return "" if value is None else f"{value:.1g}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page."""
    return write_from_runs(__doc__, "ablations, one a wording", collect, page, PAGE, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
