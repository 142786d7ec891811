"""Where known corpora keep text, language and source: settings by the name of the corpus.

Each follows from the documentation that stands above it (docs/corpora.md#known-corpora).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

CorpusSchema = Literal["dolma", "fineweb", "fineweb-2", "mc4", "culturax", "oscar"]
"""A corpus whose columns are known."""

# OSCAR's labels are those of fastText's lid.176, which CulturaX takes over; in BCP 47 some of them mean another
# language, or none (text/identification.py).
_LABELS_OF_FASTTEXT = ("als=gsw", "bh=bho", "eml=egl", "sh=sr", "yue=zh", "wuu=zh")

SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    # https://github.com/allenai/dolma/blob/main/docs/data-format.md: `id`, `text` and `source` are mandatory, what is
    # in `metadata` differs by source; the card (https://huggingface.co/datasets/allenai/dolma) names English alone.
    "dolma": {"text_column": "text", "language_column": "", "language": "en", "source_column": "source"},
    # https://huggingface.co/datasets/HuggingFaceFW/fineweb: text, id, dump, url, date, file_path, language,
    # language_score, token_count.
    "fineweb": {"text_column": "text", "language_column": "language", "source_column": "dump"},
    # https://huggingface.co/datasets/HuggingFaceFW/fineweb-2: as FineWeb with `language` in ISO 639-3 (`fra`) and
    # `language_script` in ISO 15924 (`Latn`), minhash_cluster_size and top_langs.
    "fineweb-2": {"text_column": "text", "language_column": "language+language_script", "source_column": "dump"},
    # https://huggingface.co/datasets/allenai/c4, folder `multilingual`: text, timestamp and url; the language is in
    # names of files alone, c4-iw.tfrecord-00000-of-00128.json.gz and c4-iw-validation.tfrecord-…
    "mc4": {
        "text_column": "text",
        "language_column": "",
        "language_file": r"(?:^|/)c4-([a-z]{2,3}(?:-Latn)?)(?:-validation)?\.tfrecord-",
    },
    # https://huggingface.co/datasets/uonlp/CulturaX: text, timestamp, url and source (mC4 or a version of OSCAR); the
    # language is in names of files alone, fr/fr_part_00000.parquet.
    "culturax": {
        "text_column": "text",
        "language_column": "",
        "language_file": r"(?:^|/)([a-z]{2,3})_part_[0-9]+\.parquet$",
        "language_map": _LABELS_OF_FASTTEXT,
        "source_column": "source",
    },
    # https://oscar-project.github.io/documentation: since 22.01 `content`, `warc_headers` and `metadata`, in which
    # `identification` holds `label` and `prob` of the document.
    "oscar": {
        "text_column": "content",
        "language_column": "metadata.identification.label",
        "language_map": _LABELS_OF_FASTTEXT,
    },
}
