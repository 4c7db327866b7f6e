"""Splits a user turn into clauses with exact character spans. Pure text work: no vectors, no criteria."""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.values import Clause

_SENTENCE = re.compile(
    r"(?<=[.!?…;])[\"'”’)\]]*\s+|(?<!\s)\s*[\n\r\u2028\u2029\u0085•·|]+\s*|(?<!\s)\s+[—–-]{1,3}\s+|(?<=:)\s+"
)
_INNER = re.compile(
    r",\s+|(?<!\s)\s+(?=(?:but|and|so that|because|while|although|though|then|which|who|where|nor)\b)", re.IGNORECASE
)
_WORD = re.compile(r"\w+")


def split(text: str, turn: int, max_words: int) -> tuple[Clause, ...]:
    """The clauses of the text of one turn, in order.

    A stretch of more than ``max_words`` words is cut at commas and conjunctions; one without any letter or digit is no
    clause. ``clause.text == text[clause.start:clause.end]``.
    """
    return tuple(Clause(turn, start, end, text[start:end]) for start, end in _spans(text, max_words))


def _spans(text: str, max_words: int) -> Iterator[tuple[int, int]]:
    for start, end in _cut(text, 0, len(text), _SENTENCE):
        if len(_WORD.findall(text, start, end)) <= max_words:
            yield start, end
        else:
            yield from _cut(text, start, end, _INNER)


def _cut(text: str, start: int, end: int, boundary: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    last = start
    for match in boundary.finditer(text, start, end):
        yield from _trim(text, last, match.start())
        last = match.end()
    yield from _trim(text, last, end)


def _trim(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if _WORD.search(text, start, end):
        yield start, end
