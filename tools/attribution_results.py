"""Write docs/results/attribution.md from a finished run, so that its figures cannot drift from its artifacts.

python -m tools.attribution_results RUN    # take tables and figures from the run, then write the page
python -m tools.attribution_results        # write the page again from docs/results/attribution/

The run is one of `bench`, `count` over the open-desktop corpus (tools/open_desktop_corpus), `trace`, `score` and
`attribute`; the corpus must still be where it was counted, for its own manifest tells what it is.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pivotlens.report.charts import standalone
from pivotlens.report.figures import auc_forest, joint_scatter, joint_shares
from pivotlens.report.sections import attribution as sections
from pivotlens.report.sections.joint_frequency import JointBin, JointFrequency, JointPoint
from tools.attribution_facts import APART, AUC, TESTS, collect
from tools.results_pages import RESULTS, Row, markdown_table

DATA = RESULTS / "attribution"
PAGE = RESULTS / "attribution.md"


def read(data: Path) -> tuple[Row, sections.Attribution]:
    """Return the facts and the tables of the page."""
    facts = json.loads((data / "facts.json").read_text(encoding="utf-8"))
    auc, tests = (pq.read_table(data / name).to_pylist() for name in (AUC, TESTS))
    joint = None
    if (data / "joint.json").exists():
        known = json.loads((data / "joint.json").read_text(encoding="utf-8"))
        joint = JointFrequency(
            tuple(JointBin(**one) for one in known["bins"]), tuple(JointPoint(**one) for one in known["points"])
        )
    return facts, dataclasses.replace(sections.attribution(auc, tests), joint=joint)


def figures(data: Path = DATA) -> dict[str, str]:
    """Return the figures by file name."""
    _, found = read(data)
    drawn = {f"auc-{items}": auc_forest(found.tables, items) for items in found.item_sets}
    if found.joint is not None and (found.joint.n_direct or found.joint.n_pivot):
        drawn["behaviour"] = joint_shares(found.joint)
    if found.joint is not None and found.joint.points:
        drawn["score"] = joint_scatter(found.joint, found.correlation.interval if found.correlation else None)
    return {f"{name}.svg": standalone(svg) for name, svg in drawn.items()}


def page(data: Path = DATA) -> str:
    """Return the page."""
    facts, found = read(data)
    apart = sections.attribution(pq.read_table(data / APART).to_pylist(), [])
    drawn = figures(data)
    lines = [
        "# Attribution: do a corpus's counts tell direct from semantic-pivot items?",
        "<!-- Written by tools/attribution_results.py from docs/results/attribution; do not edit. -->",
        "",
        *_what(facts),
        "",
        "## What this corpus can and cannot show",
        "",
        *_limits(facts),
        "",
        "## The corpus",
        "",
        *_corpus_table(facts["corpus"]),
        "",
        "How often the two words of an item share a unit of it:",
        "",
        *markdown_table(
            ["direction", "items", "never", "median", "most"],
            (
                [
                    _arrow(row),
                    f"{row['items']:,}",
                    f"{row['never'] / row['items']:.0%}",
                    f"{row['median']:g}",
                    f"{row['most']:,}",
                ]
                for row in facts["directions"]
            ),
        ),
        "",
        "## AUC of every rule and predictor",
        "",
        "The probability that a `direct` item has the larger predictor than a `semantic_pivot` item of its direction, "
        "ties counting half; the mean over the directions that have one, with the 95 % interval of "
        f"{facts['bootstrap']:,} resamples of concepts. 0.5 is chance. A direction with fewer than "
        f"{facts['min_items']} items of a class has none. "
        "Items spelled alike in both languages are left out. Primary: rule `calibrated`, "
        "correctly answered items.",
        *(line for items in ("correct", "all") for line in _pooled(found, items, drawn)),
        "",
        "### Without items that have a word spelled like an English one",
        *(line for items in ("correct", "all") for line in _pooled_table(apart, items)),
        *_by_direction(found),
        "",
        "## Beyond the words' own frequencies",
        "",
        "Likelihood-ratio test, one degree of freedom: does joint frequency add anything to the frequency of the "
        "source word, that of the target word and the target's number of tokens? Directions share their concepts, so "
        "their tests are not independent.",
        "",
        *_likelihood(found),
        "",
        "## Joint frequency and Score",
        "",
        *_correlations(found, drawn),
    ]
    if "behaviour.svg" in drawn:
        lines += ["", "## Joint frequency by behaviour", ""]
        lines += [
            "Correctly answered items of all directions, rule `calibrated`; the bars of a colour add up to 100 %."
        ]
        lines += ["", "![Joint frequency of direct and semantic-pivot items](attribution/behaviour.svg)"]
    return "\n".join(lines) + "\n"


def _what(facts: Row) -> list[str]:
    corpus, limit = facts["corpus"], facts["limit"]
    which = "all test concepts" if limit is None else f"{limit:,} test concepts"
    directions = " ".join(f"{row['source_language']}-{row['target_language']}" for row in facts["directions"])
    return [
        f"Model `{facts['model']}`, the {facts['prompt']} prompt with {facts['shots']} examples; {which} of the list "
        f"`word-translation@{facts['list_version']}` in {len(facts['directions'])} directions; counts in the "
        f"{corpus['name']} ({corpus['text_bytes'] / 1e6:.0f} MB of text, {corpus['documents']:,} documents, "
        f"{corpus['units']:,} units "
        f"of up to {facts['unit_characters']:,} characters).",
        "",
        "```sh",
        "python -m tools.open_desktop_corpus --out corpus/open-desktop",
        f"pivotlens bench --run RUN --words word-translation@{facts['list_version']}",
        f"pivotlens count --run RUN --corpus 'corpus/open-desktop/*.jsonl.zst' --tokenizer {facts['model']}",
        f"pivotlens trace --run RUN --model {facts['model']}{_flags(facts['trace'])} --directions {directions}",
        *([f"pivotlens score --run RUN --model {facts['model']}{_flags(facts['score'])}"] if facts["score"] else []),
        "pivotlens attribute --run RUN",
        "```",
        "",
        "Fingerprints: " + ", ".join(f"{name} `{value[:16]}`" for name, value in facts["inputs"].items()) + ".",
    ]


def _flags(settings: Row) -> str:
    return "".join(f" --{name.replace('_', '-')} {value}" for name, value in settings.items() if value is not None)


def _never(rows: Sequence[Row]) -> str:
    items = sum(row["items"] for row in rows)
    return f"{sum(row['never'] for row in rows) / items:.0%}" if items else "none"


def _limits(facts: Row) -> list[str]:
    english = [row for row in facts["directions"] if "en" in (row["source_language"], row["target_language"])]
    others = [row for row in facts["directions"] if row not in english]
    said = [f"{_never(rows)} of the items {where}" for rows, where in ((english, "with English on one side"),
            (others, "without English")) if rows]  # fmt: skip
    return [
        "- **It is not what the model was trained on.** The counts stand in for text that the model did not read, and "
        "there are few of them. Every figure here is an association between two things that both follow how a word is "
        "used; none says where the model learnt a pair.",
        "- **It pairs languages with English alone.** Manuals and help pages are in one language; message catalogs and "
        "sentence pairs hold a language beside English. Two words share no unit at all in "
        + " and in ".join(said)
        + ". Where nearly every count is 0 the predictor hardly varies: an AUC near 0.5 is then no evidence against "
        "the claim, and one away from it rests on few items.",
        *_by_spelling(others),
        "- **It is software text and learners' sentences.** Frequency here is frequency in this domain.",
        "- **It can** compare predictors on the same items under the same rules: whether joint frequency does any "
        "better than the target's own frequency, and whether an answer depends on the rule that names the behaviour. "
        "It can show that the measure works from end to end. The claim of the paper needs the model's own corpus.",
    ]


def _by_spelling(rows: Sequence[Row]) -> list[str]:
    met = sum(row["items"] - row["never"] for row in rows)
    if not met:
        return []
    return [
        "- **Words are found by their spelling, in text of any language.** A French word that is spelled like an "
        f"English one is met wherever the English one is. Of the {met:,} items without English whose words share a "
        f"unit, {sum(row['as_english'] for row in rows) / met:.0%} have a word that is spelled like an English word of "
        "the list. The larger that share, the more is joint frequency a mark of such words alone, so the AUC is also "
        "given without them."
    ]


def _corpus_table(corpus: Row) -> list[str]:
    kinds = sorted({kind for row in corpus["languages"] for kind in row["text_bytes"]})
    return markdown_table(
        ["language", "documents", "units", *(f"{kind}, MB" for kind in kinds), "all, MB"],
        (
            [row["language"], f"{row['documents']:,}", f"{row['units']:,}"]
            + [f"{row['text_bytes'].get(kind, 0) / 1e6:.1f}" for kind in kinds]
            + [f"{sum(row['text_bytes'].values()) / 1e6:.1f}"]
            for row in corpus["languages"]
        ),
    )


def _arrow(row: Row) -> str:
    return f"{row['source_language']} → {row['target_language']}"


def _pooled(found: sections.Attribution, items: str, drawn: dict[str, str]) -> list[str]:
    title = "Correctly answered items" if items == "correct" else f"{items.capitalize()} items"
    lines = ["", f"### {title}", *_pooled_table(found, items)]
    if f"auc-{items}.svg" in drawn:
        lines += ["", f"![AUC of every rule and predictor, {items} items](attribution/auc-{items}.svg)"]
    return lines


def _pooled_table(found: sections.Attribution, items: str) -> list[str]:
    tables = [table for table in found.tables if table.items == items and table.pooled is not None]
    if not tables:
        return []
    names = [sections.PREDICTOR_NAMES.get(name, name) for name in tables[0].predictors]
    rows = (
        [
            f"`{table.rule}`",
            *([f"{row.n_direct:,}", f"{row.n_pivot:,}"] if any(row.aucs) else ["", ""]),
            *(_figure(auc) for auc in row.aucs),
            "; ".join(row.notes),
        ]
        for table in tables
        if (row := table.pooled) is not None
    )
    return ["", *markdown_table([f"rule, {items} items", "direct", "pivot", *names, "directions"], rows)]


def _by_direction(found: sections.Attribution) -> list[str]:
    lines = []
    for table in found.tables:
        if table.rule != sections.PRIMARY_RULE:
            continue
        names = [sections.PREDICTOR_NAMES.get(name, name) for name in table.predictors]
        title = "correctly answered items" if table.items == "correct" else f"{table.items} items"
        lines += ["", f"### By direction: rule `{table.rule}`, {title}", ""]
        lines += markdown_table(
            ["direction", "direct", "pivot", *names, "note"],
            (
                [
                    f"{row.direction.source} → {row.direction.target}",
                    f"{row.n_direct:,}",
                    f"{row.n_pivot:,}",
                    *(_figure(auc) for auc in row.aucs),
                    "; ".join(row.notes),
                ]
                for row in table.rows
                if row.direction is not None
            ),
        )
    return lines


def _figure(interval: Any) -> str:
    if interval is None:
        return ""
    ends = f" [{interval.low:.3f}, {interval.high:.3f}]" if interval.low == interval.low else ""
    return f"{interval.value:.3f}{ends}"


def _likelihood(found: sections.Attribution) -> list[str]:
    rows = [row for row in found.tests if row.test == "joint beyond marginals"]
    groups: dict[tuple[str, str], list[sections.StatisticRow]] = {}
    for row in rows:
        groups.setdefault((row.rule, row.items), []).append(row)
    lines = markdown_table(
        ["rule", "items", "directions", "tested", "p < 0.05", "smallest p"],
        (
            [
                f"`{rule}`",
                items,
                str(len(members)),
                str(len(ps)),
                str(sum(p < 0.05 for p in ps)),
                _p(min(ps, default=None)),
            ]
            for (rule, items), members in groups.items()
            for ps in [[row.p_value for row in members if row.p_value is not None]]
        ),
    )
    primary = [row for row in rows if row.rule == sections.PRIMARY_RULE and row.p_value is not None]
    if primary:
        lines += ["", f"Rule `{sections.PRIMARY_RULE}`, where it could be tested:", ""]
        lines += markdown_table(
            ["direction", "items", "n", "statistic", "p"],
            ([_name(row), row.items, f"{row.n:,}", f"{row.statistic or 0.0:.2f}", _p(row.p_value)] for row in primary),
        )
    return lines


def _name(row: sections.StatisticRow) -> str:
    return "mean of directions" if row.direction is None else f"{row.direction.source} → {row.direction.target}"


def _p(value: float | None) -> str:
    return "" if value is None else f"{value:.2g}"


def _correlations(found: sections.Attribution, drawn: dict[str, str]) -> list[str]:
    rows = [row for row in found.tests if row.test == "spearman joint score"]
    lines = [
        "Spearman's rank correlation of joint frequency with the word-translation Score, within each direction; "
        "intervals resample concepts.",
        "",
        *markdown_table(
            ["direction", "n", "correlation", "p"],
            ([_name(row), f"{row.n:,}", _figure(row.interval) or row.note, _p(row.p_value)] for row in rows),
        ),
    ]
    if "score.svg" in drawn and found.joint is not None:
        some = len(found.joint.points) < found.joint.n_scored
        number = (
            f"{len(found.joint.points):,} of the {found.joint.n_scored:,}" if some else f"All {found.joint.n_scored:,}"
        )
        lines += ["", "![Joint frequency and Score](attribution/score.svg)", ""]
        lines += [
            f"{number} items of all directions; the line is the mean Score of all items of a range. It mixes the "
            "directions, which differ in both figures: the correlations above are within them."
        ]
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page and its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", type=Path, help="run folder with a finished attribution")
    options = parser.parse_args(arguments)
    if options.run is not None:
        collect(options.run, DATA)
    for name, svg in figures().items():
        (DATA / name).write_text(svg, encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
