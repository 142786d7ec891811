"""Write the pages of docs/ that follow from the code: verbs, settings and tables.

Run as ``python -m tools.write_docs`` from the repository's root; ``--check`` only tells whether they are up to date.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pivotlens.artifacts import SCHEMAS
from pivotlens.cli.verbs import EXAMPLES
from pivotlens.pipeline import stage_configs
from pivotlens.settings.base import changes_meaning
from pivotlens.settings.sources import SHARED

_NOTE = "<!-- Written by tools/write_docs.py from the code; do not edit. -->\n"
_OTHER_VERBS = ("run", "init", "show", "verify", "doctor", "demo", "tasks-path")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def configuration_page() -> str:
    """Return docs/configuration.md: every setting with its default and meaning."""
    lines = [
        "# Settings",
        _NOTE,
        "One TOML file, one table a stage; `pivotlens init` writes it with every default.",
        "Precedence: defaults < file < `PIVOTLENS_STAGE_KEY` variables < flags.",
        f"The keys {', '.join(f'`{key}`' for key in SHARED)} may also stand at the top of the file (or in",
        "`PIVOTLENS_KEY`), for every stage that has them; `model` is then the `tokenizer` of `count` and `select` too.",
        "A setting marked ∘ cannot change a result: it is recorded, and no stage runs again for it.",
    ]
    for stage, config in stage_configs().items():
        lines += ["", f"## [{stage}]", "", str(config.__doc__).strip().splitlines()[0], ""]
        lines += ["`pivotlens run` does it only where the file has this table.", ""] if config.optional else []
        lines += ["| setting | default | what it is |", "|---|---|---|"]
        for name, field in config.model_fields.items():
            default = "" if field.default is None else f"`{field.default!r}`"
            mark = "" if changes_meaning(field) else " ∘"
            lines.append(f"| `{name}`{mark} | {_cell(default)} | {_cell(str(field.description))} |")
    return "\n".join(lines) + "\n"


def cli_page() -> str:
    """Return docs/cli.md: every verb with its examples."""
    from importlib import import_module

    lines = [
        "# Verbs",
        _NOTE,
        "`pivotlens VERB --help` lists the flags; they are the settings of docs/configuration.md. A run folder holds "
        "one result of each stage: a verb refuses to put one of other settings in the place of a finished one (exit "
        "code 2, naming what differs) unless `--replace` is given. What is out of date because its inputs changed is "
        "made anew without it, as is a report; `run`, `demo` and the functions of Python replace what other settings "
        "gave.",
    ]
    for stage, config in stage_configs().items():
        lines += [
            "",
            f"## {stage}",
            "",
            str(config.__doc__).strip().splitlines()[0],
            "",
            "```sh",
            *EXAMPLES[stage],
            "```",
        ]
    for verb in _OTHER_VERBS:
        module = import_module(f"pivotlens.cli.{verb.replace('-', '_')}")
        summary = str(module.__doc__).split(": ", 1)[1].strip()
        lines += ["", f"## {verb}", "", summary[0].upper() + summary[1:], "", "```sh", *module.EXAMPLES, "```"]
    return "\n".join(lines) + "\n"


def tables_page() -> str:
    """Return docs/tables.md: every table between the stages."""
    lines = [
        "# Tables",
        _NOTE,
        "Each stage leaves Parquet tables in `RUN/<stage>/` beside its `manifest.json`. The columns below are the",
        "contract; a table may have more. Layer 0 is the embeddings, layer l the output of block l.",
    ]
    for name, schema in SCHEMAS.items():
        lines += ["", f"## {name}", ""]
        lines += [_MEANINGS[name], ""] if name in _MEANINGS else []
        lines += ["| column | type |", "|---|---|"]
        lines += [f"| `{field.name}` | {field.type} |" for field in schema]
    return "\n".join(lines) + "\n"


_MEANINGS = {
    "lens/layers": """A layer, over `n` held-out documents. `kl_…`: how far the lens is from the last layer, KL(last ||
layer) in nats over the whole vocabulary; `agrees_…`: share of positions whose most probable token is the last layer's.
Means over documents of means over positions. `share`: how much of each translator's change is kept, chosen on other
documents; at 0 the layer is read raw.""",
    "trace/items": """An item of a shot set. `shares_token`: source and target begin with the same token; `ambiguous`:
that, or a first piece of one could be of the other, so that the lens cannot always tell them apart. `n_space_tokens`:
tokens at the answer's beginning that write no more of it than space, the prompt's end perhaps; the position that is
read comes after them. `correct`: what the model wrote by itself (`generated`) is an accepted word. `calibration`: of
the concepts that the baseline is a mean over.""",
    "trace/layers": """An item at a layer. `entropy` and `kl_to_final` (from the layer to the model's answer) in nats;
`target_rank` 1 is first; `mass_…`: probability of all tokens of the source, the target and (where neither side is
English) the English words, of the mined pivots and of as many random tokens of like frequency; empty where there are
none. `word_logprob`: log-probability of the whole target word, only with `--whole-word`.""",
    "trace/tokens": """The most probable tokens of an item at a layer. `baseline`: mean probability of the token at that
layer over the other concepts of the calibration set. `role`: `source`, `target`, `english`, `pivot` (linked with the
concept, or mined) or empty; `relation`: how a dictionary or WordNet links it.""",
    "trace/behaviours": """What each rule calls an item, and the layer and token that decided; docs/trace.md explains
rules and labels. `languages`: of the words that link the token with the concept; `pivot_language`: what a pivot is
written in (`english`, `third`, `target`, `source`, `several`, `not_told`).""",
    "trace/tuned_behaviours": """The same under the tuned lens of the run.""",
    "trace/lenses": """Means over the items of a direction, raw and tuned lens; `same_top`: share of items in which both
put the same token first.""",
    "trace/strata": """Share of a behaviour in a part of the items: `directions` is `neither_english`, `source_english`
or `target_english`; the share is the mean over its directions, so that few items of one direction may weigh much.""",
    "trace/agreement": """How two rules (`kind` rule), two lenses or two shot sets label the same items: share alike and
Cohen's kappa, over all labels and over semantic pivot or not (`kappa_pivot`).""",
    "trace/pivot_languages": """Share of the items that are semantic pivots of one kind of language; the kinds of a rule
add up to its share of semantic pivots. `directions`: `neither_english`, `source_english`, `target_english` (means over
directions), or one direction such as `zh-fr`. `items`: `all` or `different_spelling`. An English word is `english`
where neither side is English; `several`: spelled alike in languages of more than one kind.""",
    "trace/pivots": """What the tokens are that a rule calls pivots: languages in which the token is a word for the
concept or for what it is linked with, relation, layer; empty where nothing links it.""",
    "trace/summary": """Share of a behaviour in a direction. `items`: `all`, `different_spelling` (without words written
alike in both languages), or `correct` (those of them that the model answers rightly). A behaviour that no item of the
direction shows has no row: its share is 0.""",
    "trace/sensitivity": """Shares of rule `calibrated` at other thresholds and ratios; no row means none.""",
    "count/problems": """Rows of the corpus that could not be read, the first hundred; the manifest counts them.""",
    "attribute/auc": """Probability that a direct item has the larger predictor than a semantic-pivot item, ties
counting half, by rule; `note` says why one could not be had. `items` is `correct` or `all`; with `_unlike_english` at
its end, items with a word that is not English but spelled like an English one of the benchmark are left out.""",
    "attribute/predictors": """An item with what the corpus says of its words. Its score is there where the run holds
a result of `score`.""",
    "attribute/tests": """Likelihood-ratio tests by rule (does joint frequency add to the words' own frequencies?) and
correlations with the score; `note` says why one could not be had.""",
    "score/concepts": """An item. `p_source` and `p_distractors` are exp of the mean token log-probability of the target
after the right source word, and its mean after the distractors; `score` is their difference, `share` the right word's
part of the whole sequence probability, `margin` its log ratio to the distractors' mean in nats, `rank` its place among
the choices. `share_line` counts the newline that ends the answer too. `correct`: the generated line is an accepted
word.""",
    "score/summary": """A direction, and `all`: the mean over directions. `items` is `all` or `different_spelling`,
without words written alike in both languages.""",
    "ablate/items": """An item of the tested half under a condition: `own` (the pivot taken out, by `dose`),
`random` (`repeat` is the draw), `matched` (a token of like frequency in the lens), `other` (another item's pivot),
`synonym` (the concept's word in a third language), all moved as far as `own`; `early` (the same removal in the first
layers); `last_layer` (the same Δh right before the final norm); `swap` and `swap_unrelated` (another item's pivot, or
a third one's, put in its place: log P is of the other item's target); `unrelated_item` and `unrelated_text` (the
direction taken out while something else is read). `behaviour` is `semantic_pivot`, or `direct`, where the accepted
English token stands for the pivot. `norm` and `relative_norm` are means over the layers of ‖Δh‖ and ‖Δh‖ / ‖h‖, `kl` is
of the token that is read, clean ‖ ablated; `pivot_prob` is the pivot's lens probability at the last layer changed.""",
    "ablate/windows": """A window of layers that half of the concepts chose from: mean change of log P when the pivot is
taken out, and when the states are moved as far away from another item's pivot.""",
    "ablate/effects": """A contrast: mean over directions of the change of log P in nats (negative is harm), interval
over concepts, p of a sign-flip test. `x_minus_y` is paired by item; `dose_d_step` is the change from the dose before;
in `own_minus_direct` a pivot item is paired with the direct item of nearest clean log P, `net_minus_direct` is net of
random directions. `scope` tells directions with neither side English from the others; `items` is `all`,
`english_pivot` or `correct`.""",
    "ablate/conditions": """The five conditions under which a pivot counts as causal, fixed before any result was
seen (docs/results/pivot-causality.md spells them out); `holds` is empty where one could not be tested.""",
    "ablate/side_effects": """What taking the pivot out does where it has nothing to do with what is read; `own` is the
items themselves, for scale.""",
    "score/strata": """A part of the items (`stratum` pos or band, `value` which) or of the distractors (`stratum` tier:
0 shares a direct hypernym with the concept, 3 is unrelated). In a tier, score and margin are against its distractors
alone and `accuracy_pairwise` is the share of them that the right word beats; figures that need all nine are empty.""",
}
PAGES = {"configuration.md": configuration_page, "cli.md": cli_page, "tables.md": tables_page}


def main() -> int:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a page is out of date")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="folder of the pages")
    arguments = parser.parse_args()
    stale = [
        name
        for name, page in PAGES.items()
        if not (arguments.docs / name).is_file() or (arguments.docs / name).read_text(encoding="utf-8") != page()
    ]
    if not arguments.check:
        for name in stale:
            (arguments.docs / name).write_text(PAGES[name](), encoding="utf-8")
    print(f"{len(stale)} of {len(PAGES)} pages {'are out of date' if arguments.check else 'written'}")
    return 1 if arguments.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
