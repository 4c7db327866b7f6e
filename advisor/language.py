"""Tells the language that a turn is written in, where it is surely not English.

In: a turn. Out: the record of its language, or None. Does not translate and does not read criteria.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from advisor.errors import KnowledgeError
from advisor.knowledge import Knowledge
from advisor.letters import plain_letters
from advisor.schema import Language

REMEMBERED = 512
_WORD = re.compile(r"[^\W\d_]+")


class LanguageReader:
    """Knows the languages of ``knowledge/languages.toml``; every other one passes as English.

    Raises ``KnowledgeError`` where the file names a language that the detector does not know.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self._languages: Mapping[str, Language] = knowledge.languages
        self._sure, self._words = knowledge.number("language"), int(knowledge.number("language_words"))
        self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        unknown = [code for code in self._languages if code not in self._identifier.labels]
        if unknown:
            raise KnowledgeError([f"languages.toml: {code}: no language that the detector knows" for code in unknown])
        self._identifier.set_languages(["en", *self._languages])
        self.of = lru_cache(maxsize=REMEMBERED)(self._of)

    def _of(self, turn: str) -> Language | None:
        """The language of a turn; None for English, and where the turn is too short to tell.

        A script that is not Latin tells by itself that a turn is not English.
        """
        words = " ".join(_WORD.findall(plain_letters(turn)))
        if not words:
            return None
        foreign = sum(not _latin(character) for character in words.replace(" ", "")) > len(words) / 2
        if not foreign and len(words.split()) < self._words:
            return None
        code, probability = self._identifier.classify(words)
        return self._languages.get(code) if foreign or probability >= self._sure else None


def _latin(letter: str) -> bool:
    return letter.isascii() or unicodedata.name(letter, "LATIN").startswith("LATIN")
