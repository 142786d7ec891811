"""The judged set of mined pivots of word pairs, from the draw to the figures.

python -m tools.pivot_judgements draw FOLDER CORPUS:MODE=RUN …   # pivots of a corpus's finished runs, for judges
python -m tools.pivot_judgements figures                         # precision@10 by mode, docs/results/mined-pivots.md
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from tools.pivot_judgements.draw import draw, write
from tools.pivot_judgements.page import PAGE, page

SIZES = {"npmi": 150, "shuffled": 150, "paper": 51, "pooled": 51, "pmi": 51}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    drawing = steps.add_parser("draw", help="draw pivots of finished runs")
    drawing.add_argument("folder", type=Path, help="to write to, one a corpus")
    drawing.add_argument("runs", nargs="+", metavar="CORPUS:MODE=RUN")
    drawing.add_argument("--seed", type=int, default=0)
    steps.add_parser("figures", help="write the page")
    options = parser.parse_args(arguments)
    if options.step == "draw":
        runs = {}
        for given in options.runs:
            name, _, folder = given.partition("=")
            corpus, _, mode = name.partition(":")
            runs[corpus, mode] = Path(folder)
        write(options.folder, *draw(runs, SIZES, options.seed))
    else:
        PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
