"""Reads a short answer against the options of the clarifying question that it answers.

In: the question and the words of a turn. Out: the option they mean, and whether they say that they can't tell. Reads no
criteria: an answer that fits no option is read by its words like any other turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from advisor.knowledge import Knowledge
from advisor.schema import Option
from advisor.values import Question

SHORT = 5
"""Words of an answer that is read against the options; a longer one says enough to be read like any other turn."""


class Options:
    """The options of every clarifying question, and the words by which people mean them."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._records = {record.id: record.options for record in knowledge.questions}
        self._words = knowledge.answers
        self._denial = re.compile(rf" (?:{'|'.join(map(_plain, knowledge.answers.denials))}) ")

    def read(self, question: Question, answer: str) -> tuple[Option | None, bool]:
        """The option that the answer means (None: none of them), and whether it says that they can't tell.

        A chip's own words always mean its option. Else yes and no, the place in the list, or the longest phrase of an option
        that stands in a short answer; a denied phrase of the yes means the no.
        """
        options = self._records[question.id]
        if chip := next((o for o in options if o.label == answer.strip()), None):
            return chip, False
        text = _plain(answer)
        if len(text.split()) > SHORT:
            return None, False
        rest = _without(text, self._words.unsure)
        if rest != text:  # what they do say beside it is read like any other turn
            return None, not any(self._longest(rest, option.words) for option in options)
        return self._numbered(options, text) or self._meant(options, answer, text), False

    def _numbered(self, options: tuple[Option, ...], text: str) -> Option | None:
        place = next((n for n, names in enumerate(self._words.places) if text in names), len(options))
        return options[place] if place < len(options) else None

    def _meant(self, options: tuple[Option, ...], answer: str, text: str) -> Option | None:
        polarity, rest = self._polarity(answer, text)
        lengths = [self._longest(rest, option.words) for option in options]
        if max(lengths):
            return options[lengths.index(max(lengths))] if lengths.count(max(lengths)) == 1 else None
        yes, no = (next((o for o in options if o.means == way), None) for way in ("yes", "no"))
        if yes and no and not polarity and self._longest(rest, yes.words, denied=True):
            return no
        return {"yes": yes, "no": no}.get(polarity)

    def _polarity(self, answer: str, text: str) -> tuple[str, str]:
        """Yes, no or nothing at the head of the answer, and what follows it.

        A bare "no" goes with the words after it ("no accounts"), unless a mark parts them.
        """
        for polarity, words in (("yes", self._words.yes), ("no", self._words.no)):
            for word in sorted(map(_plain, words), key=len, reverse=True):
                if text == word:
                    return polarity, ""
                if text.startswith(f"{word} "):
                    parted = word != "no" or re.match(r"\W*no\W*[,;:.!–—-]", answer, re.IGNORECASE)
                    return (polarity, text[len(word) + 1 :]) if parted else ("", text)
        return "", text

    def _longest(self, text: str, phrases: Iterable[str], denied: bool = False) -> int:
        """Length of the longest phrase in the text that the words before it do not deny (``denied``: that they do deny)."""
        found, text = 0, f" {text} "
        for phrase in map(_plain, phrases):
            place = text.find(f" {phrase} ")
            if place < 0:
                continue
            denial = self._denial.search(text[: place + 1]) and not self._denial.match(f" {phrase} ")
            if bool(denial) == denied:
                found = max(found, len(phrase))
        return found


def _without(text: str, phrases: Iterable[str]) -> str:
    """The text without the longest of these phrases that stands in it."""
    for phrase in sorted(map(_plain, phrases), key=len, reverse=True):
        if f" {phrase} " in f" {text} ":
            return f" {text} ".replace(f" {phrase} ", " ").strip()
    return text


def _plain(text: str) -> str:
    """The words alone, in lower case, with a straight apostrophe's denial spelled out."""
    straight = text.lower().replace("’", "'").replace("n't", " not")
    return " ".join(re.findall(r"[^\W_]+", straight))
