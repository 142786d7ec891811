"""The bench stage: a word list in, a benchmark out."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pivotlens.artifacts import Benchmark, StageRun
from pivotlens.bench.config import BenchConfig
from pivotlens.bench.design import assign_splits, draw_distractors
from pivotlens.bench.wordlist import ListedConcept, parse_word_list
from pivotlens.errors import ConfigError, DataError, did_you_mean

VERSION = 1
BUNDLED = {"everyday-nouns": "everyday_nouns"}


def _bundled(name: str) -> bytes:
    return resources.files("pivotlens.bench").joinpath("data", name).read_bytes()


def _content(words: str) -> dict[str, bytes]:
    if words in BUNDLED:
        stem = BUNDLED[words]
        return {name: _bundled(f"{stem}{suffix}.tsv") for name, suffix in _PARTS.items()}
    try:
        return {"words": Path(words).expanduser().read_bytes()}
    except OSError as error:
        raise DataError(
            f"cannot read the word list {words!r}: {error.strerror}",
            f"Give a TSV file, or a bundled list ({did_you_mean(words, BUNDLED)})",
        ) from error


_DRAWN_RULE = "same part of speech; no accepted word in common within the list; no dictionary, no WordNet"
_PARTS = {"words": "", "distractors": "_distractors", "links": "_links"}


def stage_run(
    config: BenchConfig,
    run: Path | str,
    *,
    planned: Mapping[str, str] | None = None,
    passed: Mapping[str, str] | None = None,
) -> StageRun:
    """Return the stage with its fingerprint; computes and writes nothing."""
    del planned  # the first stage reads no other
    inputs = {name: hashlib.sha256(data).hexdigest() for name, data in _content(config.words).items()}
    return StageRun(Path(run), config, version=VERSION, inputs=inputs, passed=passed)


def build_benchmark(config: BenchConfig, run: Path | str, *, passed: Mapping[str, str] | None = None) -> Benchmark:
    """Make the benchmark of a run folder.

    Args:
        config: The settings.
        run: The run folder; its ``bench`` stage is written.
        passed: Where each setting that is not a default came from, for the manifest.

    Raises:
        DataError: The word list is unreadable or too small.
        ConfigError: A wanted language is not in it, or `limit` leaves too few concepts.
    """
    stage = stage_run(config, run, passed=passed)
    if stage.reason_to_run() is not None:
        with stage:
            _run(stage, config)
    return Benchmark.load(run)


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8")), delimiter="\t", quoting=csv.QUOTE_NONE))


def _run(stage: StageRun, config: BenchConfig) -> None:
    content = _content(config.words)
    concepts = parse_word_list(content["words"], config.words, config.languages)
    concepts = assign_splits(concepts, config.shot_pool, config.calibration, config.seed)
    tests = {concept.concept_id: concept for concept in concepts if concept.split == "test"}
    if "distractors" in content and config.distractors == 9:
        distractors = [
            (row["concept_id"], row["distractor_id"], int(row["tier"])) for row in _rows(content["distractors"])
        ]
        rule = "same part of speech; no translation link in JMdict or CC-CEDICT; no hypernym or hyponym in WordNet"
    else:
        drawn = draw_distractors(concepts, config.distractors, config.seed)
        distractors = [(concept, other, None) for concept, others in drawn.items() for other in others]  # type: ignore[misc]
        rule = _DRAWN_RULE
    if config.limit is not None and config.limit < len(tests):
        if config.limit <= config.distractors:
            raise ConfigError(
                f"limit = {config.limit} leaves too few concepts for distractors = {config.distractors}",
                f"Set `limit` to {config.distractors + 1} or more, or lower `distractors`.",
            )
        distractors, concepts = _limited(concepts, distractors, config, stage)
        tests = {concept.concept_id: concept for concept in concepts if concept.split == "test"}
        rule = _DRAWN_RULE
    calibrating = sum(bool(concept.calibration) for concept in concepts)
    if calibrating < 100:
        stage.warn(f"the calibration set holds {calibrating} concepts; 100 or more make the trace's baseline steady")
    languages = list(concepts[0].words)
    cells = [(concept, language) for concept in concepts for language in languages]
    stage.write_table(
        "items",
        {
            "concept_id": [concept.concept_id for concept, _ in cells],
            "split": [concept.split for concept, _ in cells],
            "calibration": [bool(concept.calibration) for concept, _ in cells],
            "pos": [concept.pos for concept, _ in cells],
            "synset": [concept.synset for concept, _ in cells],
            "language": [language for _, language in cells],
            "word": [concept.words[language][0] for concept, language in cells],
            "accepted": [list(concept.words[language]) for concept, language in cells],
            "flags": [_flags(concept, language) for concept, language in cells],
        },
    )
    stage.write_table(
        "distractors",
        {
            "concept_id": [row[0] for row in distractors],
            "distractor_id": [row[1] for row in distractors],
            "tier": [row[2] for row in distractors],
        },
    )
    ids = {concept.concept_id for concept in concepts}
    links = [row for row in _rows(content["links"]) if row["concept_id"] in ids] if "links" in content else []
    stage.write_table(
        "links", {name: [row[name] for row in links] for name in ("concept_id", "language", "word", "relation")}
    )
    details: dict[str, Any] = {
        "languages": languages,
        "test_concepts": len(tests),
        "shot_concepts": len(concepts) - len(tests),
        "calibration_concepts": calibrating,
        "distractor_rule": rule,
    }
    stage.finish(details)


def _limited(
    concepts: list[ListedConcept],
    distractors: list[tuple[str, str, int]],
    config: BenchConfig,
    stage: StageRun,
) -> tuple[list[tuple[str, str, int]], list[ListedConcept]]:
    tests = [concept for concept in concepts if concept.split == "test"]
    stage.warn(f"limit = {config.limit}: only {config.limit} of {len(tests)} test concepts are in the benchmark")
    kept = {concept.concept_id for concept in tests[: config.limit]}
    chosen = [concept for concept in concepts if concept.split == "shot" or concept.concept_id in kept]
    drawn = draw_distractors(chosen, config.distractors, config.seed)
    return [(concept, other, None) for concept, others in drawn.items() for other in others], chosen  # type: ignore[misc]


def _flags(concept: ListedConcept, language: str) -> list[str]:
    word = concept.words[language][0].casefold()
    return [
        f"same_spelling:{other}"
        for other, words in concept.words.items()
        if other != language and words[0].casefold() == word
    ]
