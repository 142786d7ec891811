"""What is asked of an index and what it answers, whether it is on this disk or behind an API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

Ids = tuple[int, ...]
Clause = tuple[Ids, ...]


@dataclass(frozen=True)
class Query:
    """A count that is asked for.

    Attributes:
        clauses: Forms by word: of one word with one form its occurrences; of two words how often they are near.
            Without a form, the tokens of the whole index.
        max_diff_tokens: Most tokens between the beginnings of both; of a single form 0.
        max_clause_freq: Occurrences from which on a clause is subsampled; of a single form 0.
    """

    clauses: tuple[Clause, ...]
    max_diff_tokens: int = 0
    max_clause_freq: int = 0

    @classmethod
    def of_form(cls, ids: Ids) -> Query:
        """Return the query for the occurrences of one form; those of none are all tokens."""
        return cls(((ids,),))

    @property
    def is_pair(self) -> bool:
        """Whether it is in conjunctive normal form."""
        return len(self.clauses) > 1

    @property
    def single(self) -> Ids:
        """The form of a query that is no pair."""
        return self.clauses[0][0]

    @property
    def nested(self) -> list[list[list[int]]]:
        """The clauses as the engine takes them."""
        return [[list(ids) for ids in clause] for clause in self.clauses]

    def parameters(self) -> dict[str, Any]:
        """Return what stands for it in a request and in the cache."""
        if not self.is_pair:
            return {"query_ids": list(self.single)}
        return {
            "query_ids": self.nested,
            "max_clause_freq": self.max_clause_freq,
            "max_diff_tokens": self.max_diff_tokens,
        }


@dataclass(frozen=True)
class Answer:
    """What an index says.

    Attributes:
        count: How often.
        approx: Whether it calls that approximate.
        tokens: How it writes the tokens of a single form; empty where it does not say.
    """

    count: int
    approx: bool
    tokens: tuple[str, ...] = ()


class Index(Protocol):
    """An index that can be asked.

    Attributes:
        name: As the user named it.
        at_once: Queries under way at the same time.
        most_terms: Most forms of a word that a query for a pair may hold.
    """

    name: str
    at_once: int
    most_terms: int

    @property
    def fingerprint(self) -> str:
        """What stands for its content."""

    def ask(self, query: Query) -> Answer:
        """Return the answer to a query; from several threads where `at_once` is more than 1."""

    def stop(self) -> None:
        """Make threads that wait to ask end with an error."""
