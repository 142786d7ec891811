"""Build and check the published word-translation benchmark.

Run it in the folder `builders`, with pip, npm, apt-get and dpkg at hand for the downloads, in an environment with the
extra `words` of its project file:

    python -m word_translation propose --cache DIR --out DIR     # candidates for the reviewers
    python -m word_translation build --cache DIR [--write]       # candidates + review tables -> the data files
    python -m word_translation check --cache DIR                 # exit 1 when a promise of the data is broken
    python -m word_translation accepted --cache DIR A.tsv ... --against B.tsv ... [--third FILE ...] [--write]
                                                                       # two blind reviews of the accepted words -> one
    python -m word_translation sample --cache DIR --seed 2 --cells 300 > sample.tsv
    python -m word_translation judged sample_a.tsv sample_b.tsv  # error rates of the sample two judges judged
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from everyday_nouns.sources import Sources
from everyday_nouns.table import read_table
from everyday_nouns.wordnet import WordNet
from word_translation import sample
from word_translation.accepted import reviews
from word_translation.build import DATA, HERE, STEM, build, summary, write_reports
from word_translation.check import (
    DISTRACTORS,
    distractor_problems,
    evidence_problems,
    read_distractors,
    stale_files,
    table_of_first_version,
    table_problems,
)
from word_translation.chunks import candidates_tsv, write_chunks
from word_translation.datasheet import DATASHEET, with_figures
from word_translation.frequency import english_zipf
from word_translation.lexicons import known_translations, load
from word_translation.propose import Proposer
from word_translation.relations import Relations
from word_translation.selection import propose
from word_translation.table import read_rows


def main(arguments: list[str] | None = None) -> int:
    """Run one command; results go to stdout, problems to stderr.

    Returns:
        0 when nothing is wrong, else 1.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("propose", "build", "check", "accepted", "sample", "judged"):
        command = commands.add_parser(name)
        if name == "judged":
            command.add_argument(
                "files",
                type=Path,
                nargs="+",
                help="the drawn sample, its columns missing and wrong filled; one a judge",
            )
            continue
        command.add_argument("--cache", type=Path, required=True, help="folder that keeps the downloads")
        command.add_argument("--data", type=Path, default=DATA, help="folder of the shipped files")
        if name == "propose":
            command.add_argument("--out", type=Path, required=True, help="folder for the chunks")
            command.add_argument("--write", action="store_true", help="write the candidate list instead of comparing")
        if name == "build":
            command.add_argument("--write", action="store_true", help="write the files instead of only the figures")
            command.add_argument("--reports", type=Path, help="folder for the lists a person should look at")
        if name == "accepted":
            command.add_argument(
                "first", type=Path, nargs="+", help="a reviewer's lines: concept, language, change, word"
            )
            command.add_argument("--against", type=Path, nargs="+", required=True, help="those of the other reviewer")
            command.add_argument("--third", type=Path, nargs="+", default=[], help="undecided.tsv with the decisions")
            command.add_argument("--out", type=Path, default=Path(), help="folder for undecided.tsv and left.tsv")
            command.add_argument("--write", action="store_true", help="write the table that the builder reads")
        if name in {"build", "check"}:
            command.add_argument("--review", type=Path, default=HERE / "review", help="folder of the review tables")
        if name == "sample":
            command.add_argument("--seed", type=int, required=True)
            command.add_argument("--cells", type=int, default=300)
    options = parser.parse_args(arguments)
    problems: list[str] = {
        "propose": _propose,
        "build": _build,
        "check": _check,
        "accepted": _accepted,
        "sample": _sample,
        "judged": _judged,
    }[options.command](options)
    for problem in problems:
        print(f"problem: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _propose(options: argparse.Namespace) -> list[str]:
    sources = Sources(options.cache)
    everyday = read_table(options.data / "everyday_nouns.tsv")
    wordnet = WordNet(sources.wordnet())
    batches = propose(Proposer(sources), everyday, wordnet)
    write_chunks(batches, everyday, wordnet, options.out)
    listed = candidates_tsv(batches, everyday)
    path = HERE / "candidates.tsv"
    print(f"{' + '.join(str(len(batch)) for batch in batches)} candidates")
    if options.write:
        path.write_text(listed, encoding="utf-8", newline="\n")
    elif path.read_text(encoding="utf-8") != listed:
        return [f"{path.name} is not what is proposed now"]
    return []


def _build(options: argparse.Namespace) -> list[str]:
    sources = Sources(options.cache)
    lexicons = load(sources)
    built = build(lexicons, sources, options.review, options.data)
    print(summary(built))
    if options.reports:
        write_reports(built, lexicons, options.reports)
    if options.write:
        datasheet = options.data / DATASHEET
        files = {**built.files, DATASHEET: with_figures(datasheet, built)}
        for name, text in files.items():
            (options.data / name).write_text(text, encoding="utf-8", newline="\n")
    return built.problems


def _check(options: argparse.Namespace) -> list[str]:
    rows = read_rows(options.data / f"{STEM}.tsv")
    problems = table_problems(rows)
    sources = Sources(options.cache)
    lexicons = load(sources)
    built = build(lexicons, sources, options.review, options.data)
    rows = (
        built.reviewed
    )  # whose every word has a source or a reason; what was added follows from them by rule or review
    problems += table_problems(rows) + evidence_problems(rows, lexicons)
    translations = {row.concept_id: known_translations(row, lexicons) for row in rows}
    distractors = read_distractors(options.data / DISTRACTORS)
    problems += distractor_problems(rows, distractors, translations, Relations(lexicons.wordnet), english_zipf)
    files = {**built.files, DATASHEET: with_figures(options.data / DATASHEET, built)}
    problems += built.problems + stale_files(files, options.data)
    print(f"{len(rows)} concepts and {len(distractors)} distractors checked, {len(problems)} problems")
    return problems


def _accepted(options: argparse.Namespace) -> list[str]:
    sources = Sources(options.cache)
    lexicons = load(sources)
    try:
        first, second = (
            [change for path in paths for change in reviews.read_changes(path)]
            for paths in (options.first, options.against)
        )
        decisions = {key: value for path in options.third for key, value in reviews.read_decisions(path).items()}
    except (OSError, ValueError) as error:
        return [str(error)]
    rows = {row.concept_id: row for row in table_of_first_version(options.data)}
    merged = reviews.merge(first, second, rows, lexicons, decisions)
    glosses = {row.synset: lexicons.wordnet.synsets[row.synset].gloss for row in rows.values()}
    files = {
        options.out / "undecided.tsv": reviews.undecided_tsv(merged.undecided, rows, glosses),
        options.out / "left.tsv": "".join(f"{line}\n" for line in merged.left),
    }
    if options.write:
        files[HERE / "accepted" / "review.tsv"] = reviews.review_tsv(merged.taken)
    for path, text in files.items():
        path.write_text(text, encoding="utf-8", newline="\n")
    for (change, why), count in sorted(Counter((one.change, one.why) for one in merged.taken).items()):
        print(f"{change}, {why}: {count}")
    print(f"undecided: {len(merged.undecided)}, refused: {len(merged.refused)}, left out: {len(merged.left)}")
    return []


def _sample(options: argparse.Namespace) -> list[str]:
    wordnet = WordNet(Sources(options.cache).wordnet())
    try:
        print(sample.draw(read_rows(options.data / f"{STEM}.tsv"), wordnet, options.seed, options.cells), end="")
    except ValueError as error:
        return [str(error)]
    return []


def _judged(options: argparse.Namespace) -> list[str]:
    try:
        header = options.files[0].read_text(encoding="utf-8-sig").partition("\n")[0].split("\t")
        if "verdict" in header:  # as the sample of version 1.0 was judged
            print(sample.report([wrong for path in options.files for wrong in sample.read_verdicts(path)]))
        else:
            print(sample.answers_report([sample.read_answers(path) for path in options.files]))
    except (OSError, ValueError) as error:
        return [str(error)]
    return []


if __name__ == "__main__":
    sys.exit(main())
