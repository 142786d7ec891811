"""Write the pages of docs/ that follow from the code: verbs, settings and tables.

Run as ``python -m tools.write_docs`` from the repository's root; ``--check`` only tells whether they are up to date.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pyarrow as pa

from pivotlens.artifacts.tables import TABLES, Column
from pivotlens.pipeline import stage_configs
from pivotlens.settings.base import changes_meaning
from pivotlens.settings.sources import SHARED
from pivotlens.stages import STAGES

_NOTE = "<!-- Written by tools/write_docs.py from the code; do not edit. -->\n"
_OTHER_VERBS = ("run", "init", "show", "units", "compare", "verify", "doctor", "demo", "tasks-path")


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
            *STAGES[stage].examples,
            "```",
        ]
    for verb in _OTHER_VERBS:
        module = import_module(f"pivotlens.cli.{verb.replace('-', '_')}")
        summary = str(module.__doc__).split(": ", 1)[1].strip()
        lines += ["", f"## {verb}", "", summary[0].upper() + summary[1:], "", "```sh", *module.EXAMPLES, "```"]
    return "\n".join(lines) + "\n"


def tables_page() -> str:
    """Return docs/tables.md: every table between the stages, with its columns, from their declarations."""
    lines = [
        "# Tables",
        _NOTE,
        "Each stage leaves Parquet tables in `RUN/<stage>/` beside its `manifest.json`. There are no columns but",
        "those below. An item is a concept in a direction, a unit a document of the corpus or a piece of one.",
    ]
    for name, table in TABLES.items():
        lines += ["", f"## {name}", "", f"One row: {table.row}", ""]
        lines += [table.note, ""] if table.note else []
        lines += ["| column | type | unit | meaning |", "|---|---|---|---|"]
        lines += [
            f"| `{column.name}` | {_type(column)} | {_cell(column.unit)} | {_cell(column.meaning)} |"
            for column in table.columns
        ]
    return "\n".join(lines) + "\n"


def _type(column: Column) -> str:
    """Return a type in the words of Parquet's readers: a list is written with its element type."""
    kind = column.type
    return f"list of {kind.value_type}" if pa.types.is_list(kind) else str(kind)


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
