"""Asking many questions: what was answered before is not asked again, and an error keeps all that was answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

from pivotlens.errors import PivotLensError, PrerequisiteError
from pivotlens.progress import track
from pivotlens.query.asked import Answer, Index, Query
from pivotlens.query.kept import KeptAnswers


def unanswered(kept: KeptAnswers, queries: Iterable[Query]) -> list[Query]:
    """Return the queries without a kept answer, each once."""
    return [query for query in dict.fromkeys(queries) if kept.get(query) is None]


def ask_all(
    index: Index, kept: KeptAnswers, queries: Iterable[Query], doing: str, *, offline: bool
) -> dict[Query, Answer]:
    """Return the answer to every query.

    Args:
        index: What is asked.
        kept: Answers from before; new ones are added as they come.
        queries: What is asked for.
        doing: What the progress says.
        offline: Whether nothing may be asked.

    Raises:
        PrerequisiteError: Answers are missing while ``offline``, or the index cannot be asked.
        PivotLensError: Whatever the index finds wrong.
    """
    wanted = list(dict.fromkeys(queries))
    missing = unanswered(kept, wanted)
    if missing and offline:
        raise PrerequisiteError(
            f"{len(missing):,} of {len(wanted):,} answers of {index.name} are not in {kept.path}, and `offline` is set",
            "Run once with a network and without `offline`; copy that file to where there is none.",
        )
    for query, answer in track(_asked(index, missing), doing, len(missing)):
        kept.keep(query, answer)
    return {query: found for query in wanted if (found := kept.get(query)) is not None}


def _asked(index: Index, queries: list[Query]) -> Iterator[tuple[Query, Answer]]:
    """Yield answers as they come; after an error those of queries that were under way, and then the error."""
    with ThreadPoolExecutor(index.at_once) as pool:
        under_way = {pool.submit(index.ask, query): query for query in queries}
        try:
            for future in as_completed(list(under_way)):
                yield under_way[future], future.result()
                del under_way[future]
        except PivotLensError:
            index.stop()
            pool.shutdown(cancel_futures=True)
            for future, query in under_way.items():
                if not future.cancelled() and future.exception() is None:
                    yield query, future.result()
            raise
        except BaseException:
            index.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
