"""Compiled loops over the lines of units: the language of each line, and what the lines make of the unit.

The rules stand in docs/method.md#language-of-lines and docs/method.md#composition-of-units.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pivotlens.text.compiled import compiled
from pivotlens.text.line_kernels import HAN, HANGUL, KANA, OTHER, best_label, label_score

NONE = -1
EITHER_HAN = -2
"""Lines without a language, and short ones of Han characters alone, which are Chinese or Japanese."""

SURE = 0.7
SURE_OF_UNKNOWN = 0.95
"""From which probability a line's language is sure; where the label's language is little known, or not at all."""
ENOUGH = 12
"""Characters from which a line can be sure by itself: with `SURE_OF_SHORT` up to `LONG`."""
SURE_OF_SHORT = 0.9
LONG = 20
_SURE_OF_MIXED = 0.9
_PLAUSIBLE, _CLEARLY = np.log(0.02), np.log(1.5)
_FOR_THE_LABEL = np.log(5.0)
_ENOUGH_HAN = 12
_ENOUGH_WORDS = 6
_CANDIDATES = 6
_LEAST_OF_A_LANGUAGE = 24
_ENOUGH_PAIRS = 3
# Text of two close languages is taken apart only where there is so much of the second.
_ENOUGH_OF_CLOSE = 200

_MSG = np.frombuffer(b"msg", dtype=np.uint8)

MONOLINGUAL, PARALLEL, CODE_MIXED, OTHER_TYPE = range(4)


@compiled
def weight(characters: Any, line: int) -> Any:
    """Return a line's characters, a Han one as three and a Hangul one as two: translations weigh about alike."""
    east_asian = 3 * characters[line, HAN] + characters[line, KANA] + 2 * characters[line, HANGUL]
    return int(east_asian + characters[line, OTHER])


@compiled
def sure_languages(evidence: Any, unit_of_line: Any, labels: Any, languages: Any, tree: Any) -> Any:
    """Return the language of each line as far as the line tells it by itself.

    Args:
        evidence: Fields of `Evidence`.
        unit_of_line: Unit of each line, shape ``(lines,)``, int64.
        labels: Language of each unit's label; `NONE` where it is not known.
        languages: Number of the language of each label of the model; whether text is in it only by label; numbers of
            Chinese, Japanese and Korean.
        tree: Of `Tables`.

    Returns:
        Of each line the language, `NONE` or `EITHER_HAN`, the second language within it or `NONE`, and the
        probability of the first.
    """
    sums, n_vectors, characters, words = evidence
    of_label, only_by_label, (chinese, japanese, korean) = languages
    first = np.full(n_vectors.size, NONE, dtype=np.int32)
    second = np.full(n_vectors.size, NONE, dtype=np.int32)
    probability = np.zeros(n_vectors.size)
    n_nodes = 2 * tree[4].size
    waiting, scores = np.empty(n_nodes, dtype=np.int32), np.empty(n_nodes)
    for line in range(n_vectors.size):
        kana, han, hangul = characters[line, KANA], characters[line, HAN], characters[line, HANGUL]
        east_asian, other, total = 3 * han + kana + 2 * hangul, characters[line, OTHER], weight(characters, line)
        script_language = NONE
        if east_asian:
            if 2 * hangul >= 3 * han + kana:
                script_language = korean
            elif 4 * kana >= han:
                script_language = japanese
            else:
                script_language = chinese if han >= _ENOUGH_HAN else EITHER_HAN
        word_language = NONE
        label = labels[unit_of_line[line]]
        if other >= ENOUGH and n_vectors[line]:
            best, score = best_label(sums, line, n_vectors[line], tree, waiting, scores)
            code = of_label[best]
            least = SURE if other >= LONG else SURE_OF_SHORT
            if code != label and (label == NONE or only_by_label[label]):
                least = SURE_OF_UNKNOWN
            probability[line] = np.exp(score)
            if probability[line] >= least and (code == label or not only_by_label[code]):
                word_language = code
        if 2 * east_asian >= total and east_asian:
            first[line] = script_language
            mixed = words[line] >= _ENOUGH_WORDS and 3 * other >= total and probability[line] >= _SURE_OF_MIXED
            if mixed and script_language != EITHER_HAN:
                second[line] = word_language
        else:
            first[line] = word_language
            if 4 * east_asian >= total and word_language != NONE and script_language != EITHER_HAN:
                second[line] = script_language
    return first, second, probability


@compiled
def _candidates(sure: Any, label: int, english: int) -> Any:
    """Return the languages that unsure lines of a unit may be in: the label's, English, and those of sure lines."""
    found = np.full(_CANDIDATES, NONE, dtype=np.int32)
    found[0], found[1] = label, english
    total = sure.sum()
    for place in range(2, _CANDIDATES):
        most = 0
        for code in range(sure.size):
            if sure[code] > most and 20 * sure[code] >= total and not (found[:place] == code).any():
                most, found[place] = sure[code], code
        if most == 0:
            return found[:place]
    return found


@compiled
def _likeliest(line: int, evidence: Any, candidates: Any, label_of: Any, tree: Any) -> Any:
    """Return the candidate that a line is in, or `NONE` where none is plausible or two are about as likely.

    The first candidate, the label's language, is five times as likely as the others before the line is read.
    """
    sums, n_vectors, characters, _ = evidence
    if characters[line, OTHER] < 3 or n_vectors[line] == 0:
        return NONE
    best, best_score, next_score = NONE, -np.inf, -np.inf
    for place, code in enumerate(candidates):
        if code < 0 or code == best:
            continue
        score = label_score(label_of[code], sums, line, n_vectors[line], tree)
        if score < _PLAUSIBLE:
            continue
        score += _FOR_THE_LABEL if place == 0 else 0.0
        if score > best_score:
            best, best_score, next_score = code, score, best_score
        elif score > next_score:
            next_score = score
    return best if best_score - next_score >= _CLEARLY else NONE


@compiled
def compose(found: Any, sides: Any, units: Any, evidence: Any, languages: Any, tree: Any) -> Any:
    """Return what the lines make of each unit; the language of lines that were not sure is filled in.

    Args:
        found: Language of each line and second language within it, of `sure_languages`, changed in place, and the
            weight of what is in the second, of `languages_within`; 0 where scripts tell it.
        sides: Of each line which side it would be on if the unit's lines were text and translation in turn, of
            `sides_of`.
        units: First line of each unit, shape ``(units + 1,)``, int64, and the language of its label; `NONE` where it is
            not known.
        evidence: Fields of `Evidence`.
        languages: A label of the model of each language; whether text is in it only by label; which are close; numbers
            of English, Chinese and Japanese.
        tree: Of `Tables`.

    Returns:
        Of each unit its characters by language, as `weight` counts them, shape ``(units, languages + 1)``, int64, the
        last being a label's that is not known; and its type, one of `MONOLINGUAL` and the others, shape ``(units,)``.
    """
    first, second, within = found
    offsets, labels = units
    label_of, only_by_label, close, (english, chinese, japanese) = languages
    n_units, n_codes = offsets.size - 1, label_of.size
    cells = np.zeros((n_units, n_codes + 1), dtype=np.int64)
    types = np.zeros(n_units, dtype=np.int8)
    for unit in range(n_units):
        begin, end, label = offsets[unit], offsets[unit + 1], labels[unit]
        of_unit, characters = cells[unit], evidence[2][begin:end]
        of_first, of_second = first[begin:end], second[begin:end]
        for line in range(begin, end):
            if first[line] >= 0:
                _count(of_unit, line, (first[line], second[line], within[line]), evidence[2])
        _forget_strays(of_unit, of_first, of_second, label, english)
        candidates = np.empty(0, dtype=np.int32)  # found when the first line asks for them
        of_sides = _languages_of_sides(of_first, of_second, sides[begin:end], characters)
        han = japanese if of_unit[japanese] > of_unit[chinese] else chinese
        if of_unit[japanese] == of_unit[chinese] and label == japanese:
            han = japanese
        for line in range(begin, end):
            if first[line] >= 0 or weight(evidence[2], line) == 0:
                continue
            if first[line] == EITHER_HAN:
                first[line] = han
            elif of_sides[0] >= 0:
                first[line] = of_sides[sides[line] % 2]
            elif label == NONE:
                continue
            elif only_by_label[label]:
                first[line] = label
            else:
                if candidates.size == 0:
                    candidates = _candidates(of_unit[:n_codes], label, english)
                first[line] = _likeliest(line, evidence, candidates, label_of, tree)
        of_unit[:] = 0
        for line in range(begin, end):
            if first[line] >= 0:
                _count(of_unit, line, (first[line], second[line], within[line]), evidence[2])
            elif label == NONE:
                of_unit[n_codes] += weight(evidence[2], line)
        _join_close(of_unit, of_first, of_second, label, close)
        types[unit] = _type(of_unit, of_first, of_second, sides[begin:end], characters)
    return cells, types


@compiled
def _forget_strays(of_unit: Any, first: Any, second: Any, label: int, english: int) -> None:
    """Take back what was thought of lines in languages of which a unit has next to nothing."""
    total = of_unit.sum()
    for line in range(first.size):
        code = first[line]
        if code >= 0 and code != label and code != english and of_unit[code] < max(_LEAST_OF_A_LANGUAGE, total // 20):
            first[line] = second[line] = NONE
        code = second[line]
        if code >= 0 and code != label and code != english and of_unit[code] < max(_LEAST_OF_A_LANGUAGE, total // 20):
            second[line] = NONE
    for code in range(of_unit.size):
        if code != label and code != english and of_unit[code] < max(_LEAST_OF_A_LANGUAGE, total // 20):
            of_unit[code] = 0


@compiled
def _languages_of_sides(first: Any, second: Any, sides: Any, characters: Any) -> Any:
    """Return the two languages of a unit whose lines are text and translation in turn, or none.

    Each side must be in one language by nearly all its sure lines, which must be at least half of its lines.
    """
    none = (NONE, NONE)
    found = np.full(2, NONE, dtype=np.int64)
    for side in range(2):
        n_lines = n_sure = n_agree = 0
        for line in range(first.size):
            if sides[line] % 2 != side or sides[line] < 0 or weight(characters, line) == 0:
                continue
            n_lines += 1
            if first[line] >= 0:
                n_sure += 1
                if found[side] == NONE or n_agree == 0:
                    found[side], n_agree = first[line], 1
                elif found[side] == first[line]:
                    n_agree += 1
                else:
                    n_agree -= 1  # what is left is of the majority, if there is one
        if 4 * n_sure < n_lines or n_sure < 2 or found[side] == NONE:
            return none
        n_agree = 0
        for line in range(first.size):
            if sides[line] % 2 == side and sides[line] >= 0 and first[line] == found[side]:
                n_agree += 1
        if 7 * n_agree < 6 * n_sure:
            return none
    return (found[0], found[1]) if found[0] != found[1] else none


@compiled
def _count(of_unit: Any, line: int, found: Any, characters: Any) -> None:
    first, second, within = found
    total = weight(characters, line)
    if second < 0 or second == first:
        of_unit[first] += total
        return
    if within == 0:
        within = min(characters[line, OTHER], total - characters[line, OTHER])
    of_unit[first] += total - within
    of_unit[second] += within


@compiled
def _join_close(of_unit: Any, first: Any, second: Any, label: int, close: Any) -> None:
    """Count text of a close language as the label's, or as that of which there is most, unless there is much of it."""
    for code in range(close.shape[0]):
        if code == label or of_unit[code] == 0:
            continue
        into: Any = NONE
        if label != NONE and close[code, label]:
            if of_unit[code] < _ENOUGH_OF_CLOSE or of_unit[code] <= 2 * of_unit[label]:
                into = label
        else:
            for other in range(close.shape[0]):
                more = of_unit[other] > of_unit[code] and (into == NONE or of_unit[other] > of_unit[into])
                if more and close[code, other]:
                    into = other
        if into != NONE:
            of_unit[into] += of_unit[code]
            of_unit[code] = 0
            for line in range(first.size):
                if first[line] == code:
                    first[line] = into
                if second[line] == code:
                    second[line] = into


@compiled
def _type(of_unit: Any, first: Any, second: Any, sides: Any, characters: Any) -> Any:
    total = of_unit.sum()
    if total == 0:
        return OTHER_TYPE
    most = next_most = 0
    for code in range(of_unit.size):
        if of_unit[code] > of_unit[most]:
            most = code
    if most == 0:
        next_most = 1
    for code in range(of_unit.size):
        if code != most and of_unit[code] > of_unit[next_most]:
            next_most = code
    known = of_unit.size - 1  # what is beyond is in a label's language that is not known
    two = 5 * of_unit[next_most] >= total and most < known and next_most < known
    if two and _corresponds(first, sides, characters, most, next_most):
        return PARALLEL
    mixed = 0
    for line in range(first.size):
        if first[line] >= 0 and second[line] != NONE and second[line] != first[line]:
            mixed += weight(characters, line)
    if 4 * mixed >= total and 6 * (total - of_unit[most]) >= total:
        return CODE_MIXED
    return MONOLINGUAL if 4 * of_unit[most] >= 3 * total else OTHER_TYPE


@compiled
def _alike(one: Any, other: Any) -> Any:
    """Tell whether two weights can be those of a text and its translation."""
    return 9 * min(one, other) >= 4 * max(one, other)


@compiled
def _corresponds(first: Any, sides: Any, characters: Any, one: int, other: int) -> Any:
    """Tell whether lines in two languages follow each other as text and translation do.

    In a catalog of messages they do by its form. Else blocks of lines in one language and the next block must match:
    as many lines, or about as many, and alike in weight. Matching pairs must hold three fifths of the text in the two
    languages, and be three or of three lines; or all lines of the unit, six or more, be in the two languages in turn.
    """
    lengths = np.zeros(first.size + 1, dtype=np.int64)
    weights = np.zeros(first.size + 1, dtype=np.int64)
    n_blocks, current, total, of_messages, n_lines = 0, NONE, 0, 0, 0
    for line in range(first.size):
        n_lines += 1 if sides[line] >= 0 else 0
        if first[line] != one and first[line] != other:
            continue
        of_line = weight(characters, line)
        total += of_line
        if sides[line] >= 2:
            of_messages += of_line
        if first[line] != current:
            current = first[line]
            n_blocks += 1
        lengths[n_blocks - 1] += 1
        weights[n_blocks - 1] += of_line
    if 5 * of_messages >= 4 * total:
        return _languages_of_messages(first, sides, characters, one, other)
    in_turn = n_blocks == n_lines and n_lines >= 2 * _ENOUGH_PAIRS and n_lines % 2 == 0
    for offset in range(2):
        matched, n_matched, longest = 0, 0, 0
        for block in range(offset, n_blocks - 1, 2):
            fewer, more = min(lengths[block], lengths[block + 1]), max(lengths[block], lengths[block + 1])
            as_many = fewer == more or (fewer >= 3 and 4 * fewer >= 3 * more)
            if as_many and _alike(weights[block], weights[block + 1]):
                matched += weights[block] + weights[block + 1]
                n_matched += 1
                longest = max(longest, fewer)
        enough = n_matched >= _ENOUGH_PAIRS or longest >= _ENOUGH_PAIRS or in_turn
        if enough and 5 * matched >= 3 * total:
            return True
    return False


@compiled
def _languages_of_messages(first: Any, sides: Any, characters: Any, one: int, other: int) -> Any:
    """Tell whether most messages of a catalog are in one of two languages and most translations in the other."""
    weights = np.zeros((2, 2), dtype=np.int64)
    for line in range(first.size):
        if first[line] == one:
            weights[sides[line] % 2, 0] += weight(characters, line)
        elif first[line] == other:
            weights[sides[line] % 2, 1] += weight(characters, line)
    return (weights[0, 0] > weights[0, 1]) != (weights[1, 0] > weights[1, 1])


@compiled
def sides_of(text: Any, starts: Any, ends: Any, units: Any, characters: Any) -> Any:
    """Return the side of each line if the unit's lines were text and translation in turn, shape ``(lines,)``, int8.

    In a catalog of messages ``msgid`` is side 2 and ``msgstr`` side 3, and what follows is on the same side. In other
    units lines with words are on side 0 and 1 in turn. Lines without a side have -1.
    """
    sides = np.full(starts.size, -1, dtype=np.int8)
    unit, side, turn = -1, -1, 0
    for line in range(starts.size):
        if units[line] != unit:
            unit, side, turn = units[line], -1, 0
        if ends[line] - starts[line] > 6 and (text[starts[line] : starts[line] + 3] == _MSG).all():
            if text[starts[line] + 3] == 105 and text[starts[line] + 4] == 100:  # msgid
                side = 2
            elif text[starts[line] + 3] == 115 and text[starts[line] + 4] == 116:  # msgstr
                side = 3
        if weight(characters, line) == 0:
            continue
        sides[line] = side if side >= 0 else turn
        turn = 1 - turn
    return sides
