"""In which language lines are written (docs/method.md#language-of-lines)."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pivotlens.errors import ConfigError
from pivotlens.text.fasttext_model import Int32, read_fasttext
from pivotlens.text.languages import LID176_LABELS, language_code
from pivotlens.text.line_kernels import Evidence, Tables, best_labels, no_words, read_lines, tables_of

Integers = npt.NDArray[np.int64]


class Languages(NamedTuple):
    """The languages that are told apart, as arrays.

    Attributes:
        codes: BCP 47 codes without script or region, sorted.
        of_label: Number of the code of each label of the model, shape ``(labels,)``, int32.
        label_of: A label of each code, the most frequent, shape ``(codes,)``, int32.
        only_by_label: Whether a line is in it only where its label says so, shape ``(codes,)``, bool: dialects and
            neighbours of larger languages, whose short lines fastText takes for them, and made-up languages.
        close: Whether short lines do not tell two languages apart, shape ``(codes, codes)``, bool.
    """

    codes: tuple[str, ...]
    of_label: Int32
    label_of: Int32
    only_by_label: npt.NDArray[np.bool_]
    close: npt.NDArray[np.bool_]

    def number(self, code: str) -> int:
        """Return the number of a language by its code, whatever its script or region; -1 if it is not told apart."""
        base = code.split("-")[0]
        return self.codes.index(base) if base in self.codes else -1


@dataclass(frozen=True)
class LineIdentifier:
    """Tells in which language lines are.

    The classifier is fastText's lid.176 (Joulin et al. 2016), quantised, evaluated by compiled loops: a word that was
    met before costs a look-up. Kana and Hangul tell the language by themselves.

    Attributes:
        tables: The model.
        languages: The languages it tells apart.
        met: Memory of the words that were met.
    """

    tables: Tables
    languages: Languages
    met: tuple[npt.NDArray[Any], ...]

    def read(self, text: npt.NDArray[np.uint8], starts: Integers, ends: Integers) -> Evidence:
        """Return what the words of lines say.

        Args:
            text: UTF-8, shape ``(bytes,)``.
            starts: Where each line begins, shape ``(lines,)``.
            ends: Where it ends.
        """
        return Evidence(*read_lines(text, starts, ends, self.tables.model, self.met))

    def best(self, evidence: Evidence) -> tuple[Int32, npt.NDArray[np.float64]]:
        """Return the most probable language of each line by number, and its probability; -1 without evidence."""
        labels, probabilities = best_labels(evidence.sums, evidence.n_vectors, self.tables.tree)
        return np.where(labels < 0, -1, self.languages.of_label[labels]).astype(np.int32), probabilities


@functools.cache
def line_identifier() -> LineIdentifier:
    """Return the identifier with the bundled model; see ``text/data/README.md``."""
    model = read_fasttext((resources.files("pivotlens.text") / "data" / "lid.176.ftz").read_bytes())
    return LineIdentifier(tables_of(model), _languages(model.labels), no_words())


def _languages(labels: tuple[str, ...]) -> Languages:
    of_label = [_code(label) for label in labels]
    codes = sorted(set(of_label))
    numbers = {code: number for number, code in enumerate(codes)}
    rare = np.zeros(len(codes), dtype=bool)
    close = np.zeros((len(codes), len(codes)), dtype=bool)
    listed = (resources.files("pivotlens.text") / "data" / "identified_languages.tsv").read_text("utf-8")
    for what, members in (line.split("\t") for line in listed.splitlines()[1:]):
        places = [numbers[_code(label)] for label in members.split()]
        if what == "close":
            close[np.ix_(places, places)] = True
        else:
            rare[places] = True
    np.fill_diagonal(close, val=False)
    return Languages(
        tuple(codes),
        np.array([numbers[code] for code in of_label], dtype=np.int32),
        np.array([of_label.index(code) for code in codes], dtype=np.int32),
        rare,
        close,
    )


def _code(label: str) -> str:
    try:
        return LID176_LABELS.get(label) or language_code(label).split("-")[0]
    except ConfigError:
        return label
