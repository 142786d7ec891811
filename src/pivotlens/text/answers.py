"""When a written answer is one of the accepted words."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

from pivotlens.text.scripts import fold


def is_accepted(generated: str, accepted: Collection[str]) -> bool:
    """Tell whether a generated line is one of the accepted words, but for case and closing punctuation."""
    answer = _bare(generated)
    return answer != "" and answer in {_bare(word) for word in accepted}


def _bare(text: str) -> str:
    folded = fold(text).strip()
    while folded and unicodedata.category(folded[-1]).startswith(("P", "Z")):
        folded = folded[:-1]
    return folded
