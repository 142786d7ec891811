"""docs/results/mined-pivots.md: mined pivots of word pairs against what judges say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.pivot_judgements.draw import SHUFFLED, Drawn
from tools.pivot_judgements.evaluate import LABELS, Precision, agreement, precision, read_drawn, read_pass
from tools.results_pages import RESULTS, markdown_table

JUDGED = Path(__file__).parent / "judged"
PAGE = RESULTS / "mined-pivots.md"
MODES = ("npmi", "paper", "pooled", "pmi", SHUFFLED)

_HEAD = """\
# Mined pivots against judgements

Of the pivots of word pairs that [`pivotlens mine`](../method.md#mining-pivots) found at ranks 1 to 10 in two corpora,
in each of its modes, a sample was judged blind and mixed with a control (`shuffled`): pivots of mode `npmi` given to
the pair of another concept in the same languages, at like ranks. `python -m tools.pivot_judgements figures` writes
this page from the draw, the two passes and the [guideline](../../tools/pivot_judgements/GUIDELINE.md) in
`tools/pivot_judgements`.

As many pivots were drawn at rank 1, at ranks 2 and 3, and at 4 to 10; figures are weighted back to all pivots up to
rank 10. Intervals are 95 % from resampled concepts. **useful**: the token means the concept; **related**: it belongs
to it; the rest is noise. **pairs**: those with a pivot, of all whose words both occur, in no order.
"""
_TAIL = """\
The passes are by two language models of one kind that read the guideline and every line, independently of one another
and in different orders; no speaker of the languages has looked. Figures are the mean over both.

In the open-desktop corpus `paper`, `pooled` and `pmi` were mined for German–French and French–Chinese alone, and lines
that only they have were read after those of `npmi` and the control, so that these are less blind.

The modes `paper` and `pmi` test nothing and give nearly every pair its pivots, `npmi` and `pooled` only those where
something stands out: precision is to be read with the column `pairs`.
"""


def page() -> str:
    """Return the page."""
    lines, judged = [_HEAD], list[list[dict[int, str]]]()
    for folder in sorted(path for path in JUDGED.iterdir() if path.is_dir()):
        drawn = read_drawn(folder)
        items = sorted({one.item for one in drawn})
        judged.append([read_pass(folder / f"pass_{number}.tsv", items) for number in (1, 2)])
        lines += [f"## {folder.name}", "", *_table(drawn, judged[-1]), ""]
    passes = [
        {(corpus, item): label for corpus, both in enumerate(judged) for item, label in both[number].items()}
        for number in (0, 1)
    ]
    same, kappa = agreement(*passes)
    shares = "; ".join(f"{label} {_share(passes, label)}" for label in LABELS)
    agree = f"{len(passes[0]):,} different lines; both passes agree on {same:.0%} (Cohen's κ {kappa:.2f}). {shares}."
    lines += ["## Judges", "", agree, "", _TAIL]
    return "\n".join(lines)


def _share(passes: Sequence[Mapping[tuple[int, int], str]], label: str) -> str:
    return " / ".join(f"{sum(found == label for found in judged.values()) / len(judged):.0%}" for judged in passes)


def _table(drawn: Sequence[Drawn], passes: Sequence[Mapping[int, str]]) -> list[str]:
    rows = []
    for mode in MODES:
        of_mode = [one for one in drawn if one.mode == mode]
        if of_mode:
            cells = [_cell(_mean(of_mode, passes, good)) for good in (("useful",), ("useful", "related"))]
            pairs = f"{of_mode[0].pairs:,} of {of_mode[0].pairs_mined:,}" if mode != SHUFFLED else ""
            rows.append([f"`{mode}`", str(len(of_mode)), *cells, pairs])
    return markdown_table(["mode", "judged", "useful@10", "useful or related@10", "pairs"], rows)


def _mean(drawn: Sequence[Drawn], passes: Sequence[Mapping[int, str]], good: Sequence[str]) -> Precision:
    """Return the precision over both passes, each item counting half in each."""
    return precision(drawn, lambda item: sum(judged[item] in good for judged in passes) / len(passes))


def _cell(found: Precision) -> str:
    return f"{found.value:.2f} ({found.low:.2f}–{found.high:.2f})"
