"""Build the benchmark out of the candidate list, the review tables and the pinned sources."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from everyday_nouns.derive import links_tsv
from everyday_nouns.sources import Sources
from everyday_nouns.table import LANGUAGES, read_table
from word_translation import clean, distractors
from word_translation.accepted.extend import CHANGES_HEADER, Extended, asked_of, extend
from word_translation.accepted.reviews import read_changes
from word_translation.evidence import Finding, findings
from word_translation.flags import flags, shared_flags
from word_translation.frequency import english_zipf, tokenized_zipf
from word_translation.lexicons import Lexicons, known_translations
from word_translation.relations import Relations
from word_translation.review import Decision, read_candidates, read_reasons, read_reviews
from word_translation.senses import traditional_characters
from word_translation.splits import choose_shots, mark_bands, mark_calibration
from word_translation.table import Row, write_rows

HERE = Path(__file__).resolve().parent
DATA = HERE.parent.parent / "src" / "pivotlens" / "bench" / "data"
STEM = "word_translation"

Whys = dict[str, dict[tuple[str, str], str]]


@dataclass(frozen=True)
class Built:
    """The benchmark and what became of the candidates.

    `reviewed` and `findings` are those of version 1.0, `rows` the concepts with the words that were added since; the
    pairs of `linked`, a concept and its distractor, have a link only by a word that was added.
    """

    reviewed: list[Row]
    rows: list[Row]
    chosen: list[distractors.Chosen]
    findings: list[Finding]
    files: dict[str, str]
    candidates: int
    decisions: dict[str, Decision]
    removals: list[clean.Removal]
    unattested: list[clean.Removal]
    left_out: dict[str, int]
    extended: Extended
    linked: list[tuple[str, str, str]]
    problems: list[str]


def build(lexicons: Lexicons, sources: Sources, review: Path = HERE / "review", data: Path = DATA) -> Built:
    """Build everything in memory: version 1.0 out of the candidates, then what accepts more words.

    Args:
        lexicons: The loaded sources.
        sources: Their files.
        review: Folder of the review tables.
        data: Folder of the bundled everyday nouns, whose reasons for words without a source hold here too.
    """
    candidates = read_candidates(HERE / "candidates.tsv")
    decisions, problems = read_reviews(review, candidates)
    whys: Whys = {name: dict(decision.whys) for name, decision in decisions.items()}
    for concept in read_table(data / "everyday_nouns.tsv"):
        for language in LANGUAGES:
            for word in concept.words[language]:
                reason = concept.reason(language, word)
                if reason:
                    whys.setdefault(concept.concept_id, {}).setdefault((language, word), reason)
    for name, language, word, why in read_reasons(review / "reasons.tsv"):
        whys.setdefault(name, {})[language, word] = why
    marks = {name: decision.marks for name, decision in decisions.items()}
    reviewed = []
    for name, decision in sorted(decisions.items()):
        synset = decision.synset or candidates[name].synset
        if synset not in lexicons.wordnet.synsets or synset[-1] != candidates[name].pos:
            problems.append(f"{decision.file}: {name}: synset {synset} does not exist or is another part of speech")
        elif decision.keep:
            reviewed.append(Row(name, "test", False, candidates[name].pos, synset, "", dict(decision.words)))
    rows, removals = clean.without_misshapen(reviewed, traditional_characters(sources.cedict()))
    rows, wrong = _in_their_synset(rows, lexicons)
    removals += wrong
    rows, removed, _ = _attested(rows, lexicons, whys)
    removals += removed
    rows, removed = clean.without_shared(rows, english_zipf)
    removals += removed
    rows, removed, unattested = _attested(rows, lexicons, whys)  # again: English words that attested others are gone
    removals += removed
    kept = {row.concept_id for row in rows}
    rows = choose_shots(rows, [row for row in reviewed if row.concept_id in kept])
    translations = {row.concept_id: known_translations(row, lexicons) for row in rows}
    relations = Relations(lexicons.wordnet)
    chosen, left_out = distractors.choose(rows, translations, relations, english_zipf)
    rows = [row for row in rows if row.concept_id not in left_out]
    rows = mark_bands(mark_calibration(rows), tokenized_zipf)
    rows = [replace(row, flags=flags(row, lexicons, marks.get(row.concept_id, frozenset()))) for row in rows]
    rows = shared_flags(rows)
    links = links_tsv(list(rows), lexicons.wordnet)
    pairs = [(one.concept_id, one.distractor_id) for one in chosen]
    changes = read_changes(HERE / "accepted" / "review.tsv")
    extended = extend(rows, pairs, links, changes, asked_of(lexicons, sources.cache, rows))
    files = {
        f"{STEM}.tsv": write_rows(extended.rows),
        f"{STEM}_distractors.tsv": distractors.distractors_tsv(chosen),
        f"{STEM}_links.tsv": "".join(f"{line}\n" for line in links.splitlines() if line not in extended.unlinked),
        f"{STEM}_changes.tsv": "".join("\t".join(line) + "\n" for line in (CHANGES_HEADER, *extended.changes)),
    }
    known = {row.concept_id: known_translations(row, lexicons) for row in extended.rows}
    by_id = {row.concept_id: row for row in extended.rows}
    problems_now = (
        (*pair, distractors.pair_problem(by_id[pair[0]], by_id[pair[1]], known, relations, english_zipf))
        for pair in pairs
    )
    found = [finding for row in rows for finding in findings(row, lexicons)]
    final = {row.concept_id for row in rows}
    return Built(
        reviewed=rows,
        rows=extended.rows,
        chosen=chosen,
        findings=found,
        files=files,
        candidates=len(candidates),
        decisions=decisions,
        removals=removals,
        unattested=[one for one in unattested if one.concept_id in final],
        left_out=left_out,
        extended=extended,
        linked=[pair for pair in problems_now if "linked" in pair[2]],
        problems=problems + extended.problems,
    )


def _in_their_synset(rows: list[Row], lexicons: Lexicons) -> tuple[list[Row], list[clean.Removal]]:
    """Drop concepts whose displayed English word is no lemma of their synset."""
    removals = []
    kept = []
    for row in rows:
        word = row.words["en"][0]
        lemmas = {lemma.casefold() for lemma in lexicons.wordnet.synsets[row.synset].lemmas}
        if word.casefold() in lemmas:
            kept.append(row)
        else:
            rule = "displayed English word not in its synset: concept dropped"
            removals.append(clean.Removal(rule, row.concept_id, "en", word, row.synset))
    return kept, removals


def _attested(
    rows: list[Row], lexicons: Lexicons, whys: Whys
) -> tuple[list[Row], list[clean.Removal], list[clean.Removal]]:
    """Apply the evidence rule until nothing changes: a removed English word may have attested another word."""
    removals: list[clean.Removal] = []
    while True:
        found = {row.concept_id: findings(row, lexicons) for row in rows}
        rows, removed, unattested = clean.without_unattested(rows, found, whys)
        removals += removed
        if not removed:
            return rows, removals, unattested


def write_reports(built: Built, lexicons: Lexicons, folder: Path) -> None:
    """Write what a person should look at: words without source, removals, concepts without nine distractors."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = {row.concept_id: row for row in built.rows}
    lines = ["concept_id\tpos\tgloss\tlanguage\tword\taccepted\treason"]
    for one in built.unattested:
        row = rows[one.concept_id]
        gloss = lexicons.wordnet.synsets[row.synset].gloss
        accepted = "|".join(row.words[one.language])
        lines.append("\t".join((one.concept_id, row.pos, gloss, one.language, one.word, accepted, one.detail)))
    _write(folder / "unattested.tsv", lines)
    _write(
        folder / "removals.tsv", ["rule\tconcept_id\tlanguage\tword\tdetail", *(one.line() for one in built.removals)]
    )
    few = [f"{name}\t{count}" for name, count in sorted(built.left_out.items())]
    _write(folder / "left_out.tsv", ["concept_id\tvalid_distractors", *few])
    _write(folder / "review_problems.txt", built.problems)
    left = ["\t".join((one.concept_id, one.language, one.word, one.rule, one.why)) for one in built.extended.left]
    _write(folder / "not_added.tsv", ["concept_id\tlanguage\tword\trule\twhy", *left])


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def summary(built: Built) -> str:
    """Return the figures that show how the build went."""
    tests = [row for row in built.rows if row.split == "test"]
    pos = Counter(row.pos for row in tests)
    shots = Counter(row.pos for row in built.rows if row.split == "shot")
    lines = [
        f"candidates {built.candidates}, decided {len(built.decisions)}, "
        f"kept by review {sum(one.keep for one in built.decisions.values())}",
        *(f"  {rule}: {n}" for rule, n in sorted(Counter(one.rule for one in built.removals).items())),
        f"  without nine distractors: {len(built.left_out)}",
        f"test {len(tests)} {dict(sorted(pos.items()))}, shot {sum(shots.values())} {dict(sorted(shots.items()))}",
        f"displayed words without source: {len(built.unattested)} "
        f"({sum(not one.detail for one in built.unattested)} without a reason)",
        f"distractors by tier: {dict(sorted(Counter(one.tier for one in built.chosen).items()))}; "
        f"outside the frequency bound: {sum(one.far_in_frequency for one in built.chosen)}",
        f"review problems: {len(built.problems)}",
        *(f"  {language} {change} ({rule}): {n}" for (language, rule, change), n in sorted(changed(built).items())),
        f"words not added: {len(built.extended.left)}",
        *(f"  {one.concept_id} {one.language} {one.word} ({one.rule}): {one.why}" for one in built.extended.left),
        f"distractors linked by an added word: {len(built.linked)}",
        *(f"  {one} and its distractor {other}: the latter {why}" for one, other, why in built.linked),
    ]
    return "\n".join(lines)


def changed(built: Built) -> Counter[tuple[str, str, str]]:
    """Count what version 1.1 changed by language, rule and change; linked words under the rule ``links``."""
    return Counter(
        (language, "links" if change == "unlinked" else rule, change)
        for _, language, change, _, _, rule in built.extended.changes
    )
