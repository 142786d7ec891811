"""Write the task files of lm-evaluation-harness: of words and of sentences, one a direction, and their groups.

Run as ``python -m tools.write_harness_tasks`` from the repository's root; ``--check`` only tells whether they are up
to date.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from pivotlens.bench.versions import VERSIONS
from pivotlens.harness.config import DEFAULT_BENCHMARK
from pivotlens.text.languages import NATIVE_NAMES

FOLDER = Path("src/pivotlens/harness/tasks")
VERSION = 2
SENTENCES_VERSION = 1
_METADATA = [
    "metadata:",
    f"  version: {VERSION}",
    f"  default_benchmark: {DEFAULT_BENCHMARK}@{VERSIONS[DEFAULT_BENCHMARK][0]}",
]
_SENTENCES_METADATA = ["metadata:", f"  version: {SENTENCES_VERSION}"]
_NOTE = "# Written by tools/write_harness_tasks.py; do not edit.\n"
_METRICS = ("score", "score_different_spelling", "probability_share", "margin", "accuracy_10way")
_SENTENCE_METRICS = ("acc_norm", "acc")
_FUNCTIONS = "pivotlens.harness.word_translation"


def _template() -> str:
    lines = [
        f"custom_dataset: !function {_FUNCTIONS}.load",
        "output_type: multiple_choice",
        "test_split: test",
        "# Many prompts with one answer: the text is the place of the right prompt among the choices.",
        "doc_to_text: gold",
        "doc_to_choice: contexts",
        "doc_to_target: answer",
        'target_delimiter: ""',
        "num_fewshot: 0",
        f"process_results: !function {_FUNCTIONS}.measure",
        "metric_list:",
    ]
    for metric in _METRICS:
        lines += [f"  - metric: {metric}", "    aggregation: mean", "    higher_is_better: true"]
    return "\n".join([*lines, *_METADATA]) + "\n"


def _sentences_template() -> str:
    lines = [
        "custom_dataset: !function pivotlens.harness.sentence_translation.load",
        "output_type: multiple_choice",
        "test_split: test",
        "fewshot_split: shots",
        "doc_to_text: prompt",
        "doc_to_choice: choices",
        "doc_to_target: gold",
        'target_delimiter: " "',
        "# No num_fewshot: one of 0 here would not let the command line ask for examples.",
        "fewshot_config:",
        "  sampler: first_n",
        "metric_list:",
    ]
    for metric in _SENTENCE_METRICS:
        lines += [f"  - metric: {metric}", "    aggregation: mean", "    higher_is_better: true"]
    return "\n".join([*lines, *_SENTENCES_METADATA]) + "\n"


def _group(name: str, tasks: list[str], metrics: Sequence[str], metadata: Sequence[str]) -> str:
    lines = [f"group: {name}", "task:", *(f"  - {task}" for task in tasks), "aggregate_metric_list:"]
    for metric in metrics:
        lines += [f"  - metric: {metric}", "    aggregation: mean", "    weight_by_size: false"]
    return "\n".join([*lines, *metadata]) + "\n"


def task_files() -> dict[str, str]:
    """Return the content of every task file by its name."""
    files = {"_template.yaml": _template(), "_sentences.yaml": _sentences_template()}
    for group, template, metrics, metadata in (
        ("pivotlens", "_template", _METRICS, _METADATA),
        ("pivotlens_sentences", "_sentences", _SENTENCE_METRICS, _SENTENCES_METADATA),
    ):
        tasks = []
        for source, target in itertools.permutations(NATIVE_NAMES, 2):
            name = f"{group}_{source}_{target}"
            files[f"{name}.yaml"] = (
                f"include: {template}.yaml\ntask: {name}\ndataset_kwargs:\n  direction: {source}-{target}\n"
            )
            tasks.append(name)
        files[f"{group}.yaml"] = _group(group, tasks, metrics, metadata)
    return {name: _NOTE + text for name, text in files.items()}


def main() -> int:
    """Write the files, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file is out of date")
    arguments = parser.parse_args()
    files = task_files()
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.yaml")}
    stale = sorted(name for name in files.keys() | there.keys() if files.get(name) != there.get(name))
    if not arguments.check:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name in stale:
            if name in files:
                (FOLDER / name).write_text(files[name], encoding="utf-8")
            else:
                (FOLDER / name).unlink()
    print(f"{len(stale)} of {len(files)} task files {'are out of date' if arguments.check else 'written'}")
    return 1 if arguments.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
