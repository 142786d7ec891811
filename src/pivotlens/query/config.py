"""Settings of `pivotlens query`."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from pivotlens.settings import StageConfig, setting

FormKind = Literal["space", "space_capital", "line", "line_capital"]
"""How a word stands in text: after a space or at the beginning of a line, as listed or with a capital."""

MOST_DIFF_TOKENS, MOST_CLAUSE_FREQ = 1000, 500_000
"""What the public API accepts at most."""


class QueryConfig(StageConfig):
    """Query an infini-gram index, local or public, for words and pairs: occurrences of tokens, not units."""

    stage: ClassVar[str] = "query"
    optional: ClassVar[bool] = True
    index: tuple[str, ...] = setting(
        (), "Folders of a local index, or the name of one that the API serves, such as `v4_dolma-v1_7_llama`."
    )
    tokenizer: str = setting("", "Model spec of the tokenizer that the index was made with.")
    endpoint: str = setting("https://api.infini-gram.io/", "Address of the API; not used for a local index.")
    forms: tuple[FormKind, ...] = setting(
        ("space", "space_capital"),
        "Forms of a word that are asked for in languages with spaces: after a space (`space`), with a capital "
        "(`space_capital`), at the beginning of a line (`line`, `line_capital`), which are also found within words.",
        min_length=1,
    )
    max_diff_tokens: int = setting(
        100, "Most tokens between the beginnings of two words that co-occur; the API takes 1,000 at most.", ge=1
    )
    max_clause_freq: int = setting(
        MOST_CLAUSE_FREQ,
        "Occurrences of a word from which on the engine looks at some of them alone for a pair; the API takes 500,000 "
        "at most.",
        ge=1,
    )
    offline: bool = setting(False, "Ask nothing over the network: use the answers kept from before.", meaning=False)
    queries_per_second: float = setting(5.0, "Most queries a second to the API.", gt=0, meaning=False)
    at_once: int = setting(4, "Queries under way to the API at the same time.", ge=1, le=32, meaning=False)
    timeout: float = setting(30.0, "Seconds to wait for an answer of the API.", gt=0, meaning=False)
    retries: int = setting(6, "How often a query that failed in passing is sent again.", ge=0, meaning=False)

    @model_validator(mode="after")
    def _known_address(self) -> Self:
        if not self.endpoint.startswith(("http://", "https://")):
            raise ValueError(f"endpoint = {self.endpoint!r} is no address of a web server")
        return self
