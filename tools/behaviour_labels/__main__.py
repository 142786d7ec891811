"""The labelled set of traced items, from the draw to the page.

python -m tools.behaviour_labels draw RUN FOLDER       # items of a finished trace, for judges
python -m tools.behaviour_labels roles RUN FOLDER      # what each kept token is to its item, by the code as it is now
python -m tools.behaviour_labels disagreements FOLDER  # after two passes: what a third judge decides
python -m tools.behaviour_labels page                  # docs/results/behaviour-rules.md
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import orjson

from pivotlens.artifacts import Benchmark, Trace
from tools.behaviour_labels.draw import concepts_of, draw
from tools.behaviour_labels.labels import disagreements, read_pass, read_shown
from tools.behaviour_labels.page import PAGE, page
from tools.behaviour_labels.roles import renew_roles


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    drawing = steps.add_parser("draw", help="draw items of a finished trace")
    drawing.add_argument("run", type=Path)
    drawing.add_argument("folder", type=Path, help="to write to")
    drawing.add_argument(
        "--without", type=Path, nargs="*", default=(), help="folders of earlier draws, whose concepts are left out"
    )
    drawing.add_argument("--a-direction", type=int, default=140)
    drawing.add_argument("--with-english", type=int, default=60)
    drawing.add_argument("--seed", type=int, default=0)
    drawing.add_argument("--chunk", type=int, default=320, help="items of a file for judges")
    roles = steps.add_parser("roles", help="tell again what each kept token is to its item")
    roles.add_argument("run", type=Path, help="run folder with the benchmark")
    roles.add_argument("folder", type=Path)
    roles.add_argument("--model", default="demo:gemma-3-270m", help="that was traced; only its tokenizer is read")
    differing = steps.add_parser("disagreements", help="print what both passes judged differently, for a third judge")
    differing.add_argument("folder", type=Path)
    steps.add_parser("page", help="write the page")
    options = parser.parse_args(arguments)
    if options.step == "draw":
        run = Trace.load(options.run), Benchmark.load(options.run)
        without = frozenset[str]().union(*(concepts_of(folder) for folder in options.without))
        drawn = draw(*run, options.a_direction, options.with_english, options.seed, without)
        drawn.write(options.folder, options.chunk)
    elif options.step == "roles":
        renew_roles(options.folder, options.model, Benchmark.load(options.run))
    elif options.step == "disagreements":
        shown = read_shown(options.folder)
        first, second = (read_pass(options.folder / f"pass_{number}.tsv", shown) for number in (1, 2))
        wanted: dict[int, list[str]] = {}
        for item, token in disagreements(first, second):
            wanted.setdefault(item, []).append(token)
        for line in (options.folder / "judged_items.jsonl").read_bytes().splitlines():
            row = orjson.loads(line)
            if row["item"] in wanted:
                print(orjson.dumps(row | {"tokens": wanted[row["item"]]}).decode())
    else:
        PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
