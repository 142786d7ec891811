"""Settings of `pivotlens select`."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import field_validator, model_validator

from pivotlens.settings import CorpusFormat, CorpusStageConfig, setting

DEFAULT_SHARE = 0.1
"""Of what could be taken, where no budget is given."""
ScoreName = Literal["bridge", "excess", "share"]
ArmName = Literal[
    "top",
    "matched",
    "random",
    "bridge",
    "excess",
    "share",
    "sample",
    "pseudo_pivots",
    "word_density",
    "english_only",
    "parallel",
    "code_mixed",
    "dsir",
]


class SelectConfig(CorpusStageConfig):
    """Rebuild the corpus from its pivot-rich units, at a budget of tokens, units or a share of what there is."""

    stage: ClassVar[str] = "select"
    arms: tuple[ArmName, ...] = setting(
        ("top", "matched", "random"),
        "Arms to make, at the same budget: `top` by `score`, `bridge`, `excess` and `share` by that score, `sample` "
        "drawn by `score` and `temperature`, and the controls `matched`, `random`, `pseudo_pivots`, `word_density`, "
        "`english_only`, `parallel`, `code_mixed` and `dsir`.",
    )
    score: ScoreName = setting(
        "bridge",
        "What `top` goes by: words beside their own pivots (`bridge`), the paper's share of pivot tokens (`share`), "
        "or that beyond what text of the same languages holds (`excess`).",
    )
    budget_tokens: int | None = setting(
        None,
        "Tokens a language, with the token that ends each document; the selection stops before exceeding it. Without "
        "any budget a tenth of what could be taken.",
        ge=1,
    )
    budget_units: int | None = setting(None, "Units a language, instead of tokens.", ge=1)
    budget_share: float | None = setting(
        None, "Share of the tokens that could be taken, instead of tokens.", gt=0, le=1
    )
    languages: tuple[str, ...] = setting(
        (),
        "Languages of the text, each at the budget; where they carry weights, such as `fr=2`, the budget is that of "
        "the whole arm and divided by them. Those of the benchmark that the corpus holds when empty.",
    )
    shortage: Literal["refuse", "take_all"] = setting(
        "refuse", "What to do where less can be taken than the budget: refuse, or take all there is."
    )
    temperature: float = setting(
        1.0, "Of arm `sample`: small, and it is like `top`; large, and it is like `random`.", gt=0
    )
    pivots: int = setting(500, "How many of the corpus pivots count for `share`, from the best.", ge=1)
    min_tokens: int = setting(32, "Shorter units are left out.", ge=1)
    max_repetition: float = setting(
        0.5, "Units in which more of the runs of ten tokens were there before are left out; 1 keeps all.", ge=0, le=1
    )
    max_similarity: float = setting(
        1.0,
        "Of units that share more than this of their runs of five words, all but the first are left out (MinHash; "
        "reads the corpus again when first asked for); 1 keeps all.",
        ge=0.5,
        le=1,
    )
    formats: tuple[CorpusFormat, ...] = setting(
        ("jsonl",),
        "What each arm is written as: documents as `jsonl` (.zst) or `parquet`, and token files for `datatrove` "
        "(nanotron), `olmo_core` or `megatron`.",
    )
    file_tokens: int = setting(
        1 << 28,
        "Tokens of a file; few large files are best, as trainers drop the tail of each. A longer document has a file "
        "of its own; a last file of at most `sequence_length` tokens goes into the one before.",
        ge=1,
    )
    sequence_length: int = setting(
        2048, "Tokens of a training sequence: by it the tokens that a trainer reads of an arm are counted.", ge=2
    )
    end_of_document: str = setting(
        "", "Token written after each document in token files, such as `<|endoftext|>`; the tokenizer's own when empty."
    )

    @field_validator("formats")
    @classmethod
    def _holds_documents(cls, formats: tuple[CorpusFormat, ...]) -> tuple[CorpusFormat, ...]:
        if not {"jsonl", "parquet"} & set(formats):
            raise ValueError("an arm without documents can be neither read nor looked at: add jsonl or parquet")
        return formats

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        names = ("budget_tokens", "budget_units", "budget_share")
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are given: a budget is in one of them")
        if "matched" in self.arms and "top" not in self.arms:
            raise ValueError("arm matched is matched to arm top, which is not among the arms")
        return self
