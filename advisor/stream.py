"""Renders sentences as Markdown, piece by piece.

In: sentences. Out: pieces of text, one a sentence, and the numbered sources. The pieces joined are the full text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from advisor.schema import Passage
from advisor.values import Sentence


def pieces(sentences: Sequence[Sentence]) -> Iterator[str]:
    """Each sentence as it stands in the reply, with its citations as [n], n counting passages by first citation."""
    numbers: dict[str, int] = {}
    before = None
    for sentence in sentences:
        marks = ""
        for source in sentence.sources:
            number = numbers.setdefault(source, len(numbers) + 1)
            marks += f" [{number}]"
        if sentence.cells:
            yield _lead(sentence, before) + _row(sentence, marks)
        else:
            yield _lead(sentence, before) + sentence.text + (marks if sentence.block != "heading" else "**")
        before = sentence


def _row(sentence: Sentence, marks: str) -> str:
    """A row of a table; a header is followed by the line that makes it one."""
    line = "| " + " | ".join(sentence.cells) + f"{marks} |"
    return line + "\n|" + " --- |" * len(sentence.cells) if sentence.block == "header" else line


def _lead(sentence: Sentence, before: Sentence | None) -> str:
    if sentence.block == "heading":
        return "\n\n**" if before else "**"
    if sentence.block == "item":
        return "\n- " if before and before.block != "heading" else "\n\n- "
    if sentence.block == "row":
        return "\n"
    if sentence.block in ("paragraph", "header"):
        return "\n\n" if before else ""
    return " "


def source_line(number: int, passage: Passage) -> str:
    """One numbered source as a Markdown line: id with link, and its section, or for an update package, version, date."""
    place = passage.section
    if passage.layer == "update":
        place += f": {passage.package} {passage.version}, {passage.date}"
    return f"\n{number}. [{passage.id}]({passage.url}), {place}"
