"""How a table is declared: what a row is, and each column with its type, unit and meaning."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

STRING, INTEGER, NUMBER, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
STRINGS, INTEGERS = pa.list_(STRING), pa.list_(INTEGER)

# Units; what is counted has its own name as unit, such as "items".
NONE = "–"
CODE = "BCP 47 code"
TOKEN_ID = "token id"
LAYER = "layer"
NATS = "nats"
PROBABILITY = "probability, 0–1"
SHARE = "share, 0–1"


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its name in the file.
        type: Its type in the file.
        unit: What its numbers are in, or what is counted; ``–`` where it has none.
        meaning: What it says, and when it is empty.
    """

    name: str
    type: pa.DataType
    unit: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table: the contract between the stage that writes it and all who read it.

    Attributes:
        row: What a row is, a sentence.
        columns: In the order of the file.
        note: What is to be known of several columns together; may be empty.
    """

    row: str
    columns: tuple[Column, ...]
    note: str = ""

    @cached_property
    def schema(self) -> pa.Schema:
        """Names and types of the columns; units and meanings are not written into files."""
        return pa.schema([pa.field(column.name, column.type) for column in self.columns])


def table(row: str, *columns: Column | tuple[Column, ...], note: str = "") -> Table:
    """Declare a table.

    Args:
        row: What a row is, a sentence.
        columns: Columns and groups of columns, in the order of the file.
        note: What is to be known of several columns together.

    Raises:
        ValueError: Two columns have one name.
    """
    flat = tuple(one for group in columns for one in (group if isinstance(group, tuple) else (group,)))
    names = [column.name for column in flat]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"columns {sorted(twice)} are declared twice in the table of rows: {row}")
    return Table(row, flat, note)


# -- groups of columns that recur

CONCEPT = Column("concept_id", STRING, NONE, "The concept.")
DIRECTION = (
    Column("source_language", STRING, CODE, "Language of the word that is translated."),
    Column("target_language", STRING, CODE, "Language of the translation."),
)
DIRECTION_OR_ALL = (
    Column("source_language", STRING, CODE, "Language of the word that is translated; `all` for all directions."),
    Column("target_language", STRING, CODE, "Language of the translation; `all` for all directions."),
)
MODEL = Column("model", STRING, NONE, "The model, as the settings name it.")
MODEL_AND_PROMPT = (MODEL, Column("prompt", STRING, NONE, "Template of the prompt: `english`, `native` or `bare`."))
FAILURE = Column(
    "failure",
    STRING,
    NONE,
    "Kind of a wrong answer (docs/method.md#wrong-answers): `copied_source`, `english_word`, `third_language`, "
    "`related_word`, `other_form`, `target_language`, `other` or `empty`.",
)
FAILURE_OF_ITEM = Column(
    "failure", STRING, NONE, "Kind of that answer where it is wrong (docs/method.md#wrong-answers); else empty."
)
SHOT_SET = Column("shot_set", INTEGER, "number from 0", "Which set of examples the prompt shows.")
TRACED_ITEM = (*MODEL_AND_PROMPT, SHOT_SET, *DIRECTION, CONCEPT)


def token(whose: str) -> tuple[Column, Column]:
    """Return the columns of a token: its id and its text.

    Args:
        whose: Which token, in a few words.
    """
    return (
        Column("token_id", INTEGER, TOKEN_ID, f"Id of {whose}."),
        Column("token", STRING, NONE, "What it writes, with its leading space; text of a tokenizer: untrusted."),
    )


def interval(of: str, unit: str, resampled: str, names: tuple[str, str] = ("ci_low", "ci_high")) -> tuple[Column, ...]:
    """Return the columns of a 95 % percentile bootstrap interval.

    Args:
        of: The column whose interval it is.
        unit: Of that column.
        resampled: What is resampled.
        names: Of the two columns.
    """
    of_which = f"of the 95 % bootstrap interval of `{of}`, over {resampled}."
    return (
        Column(names[0], NUMBER, unit, f"Lower end {of_which}"),
        Column(names[1], NUMBER, unit, f"Upper end {of_which}"),
    )


def estimate(name: str, unit: str, meaning: str, resampled: str) -> tuple[Column, ...]:
    """Return a column and its interval in ``NAME_low`` and ``NAME_high``.

    Args:
        name: Of the column.
        unit: Of all three.
        meaning: Of the column.
        resampled: What is resampled.
    """
    ends = interval(name, unit, resampled, (f"{name}_low", f"{name}_high"))
    return (Column(name, NUMBER, unit, meaning), *ends)
