"""Styled letters as plain ones: full-width and mathematical letters, which neither encoder nor language detector knows."""

from __future__ import annotations

import unicodedata


def plain_letters(text: str) -> str:
    """The text with styled letters and digits as plain ones, one for one: offsets stay right."""
    return text if text.isascii() else "".join(map(_plain, text))


def _plain(character: str) -> str:
    if character.isascii() or not character.isalnum():
        return character
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 and plain.isascii() else character
