"""The order of the stages, and nothing else: user turns -> reading -> decision -> explanation -> events."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from advisor import knowledge as knowledge_files
from advisor.decision import Decider
from advisor.encoder import SentenceEncoder
from advisor.errors import InputError
from advisor.explanation import Explainer
from advisor.knowledge import Knowledge
from advisor.signals import PrototypeReader, Reader
from advisor.stream import pieces, source_line
from advisor.trained import TrainedReader, weights_in
from advisor.values import Act, Advice, Calibration, Decision, Delta, Done, Event, Reading, Sentence

Turn = str | Mapping[str, object]

CACHE_SIZE = 512
"""Conversations whose reading is remembered; a reading is a few kilobytes."""

_WORD = re.compile(r"[^\W_]")


class Advisor:
    """From a conversation to advice: a pure function of the user's turns, safe to call from many threads."""

    def __init__(self, knowledge: Knowledge, reader: Reader, calibration: Calibration) -> None:
        self.knowledge = knowledge
        self._decider = Decider(knowledge, calibration)
        self._explainer = Explainer(knowledge)
        self._read = lru_cache(maxsize=CACHE_SIZE)(reader.read)

    @classmethod
    def load(cls, folder: Path = knowledge_files.FOLDER) -> Advisor:
        """The advisor on the real knowledge and encoder, warmed up.

        Raises ``KnowledgeError`` with every broken file, ``ModelError`` where the encoder or weights are missing or altered.
        """
        knowledge = knowledge_files.load(folder)
        if os.environ.get("ADVISOR_ENCODER"):  # the trained weights belong to the packaged encoder alone
            advisor = cls(knowledge, PrototypeReader(knowledge, SentenceEncoder(), cache_folder()), Calibration())
        else:
            weights = weights_in(folder / "reader")
            reader = TrainedReader(knowledge, SentenceEncoder(adapter=weights.adapter), weights)
            advisor = cls(knowledge, reader, weights.calibration())
        advisor.advise([knowledge.page_examples[0].text])
        return advisor

    def advise(self, turns: Sequence[Turn]) -> Advice:
        """The advice after the last user turn; raises ``InputError`` for a conversation that cannot be answered."""
        users = user_turns(turns)
        limit = int(self.knowledge.number("input_limit"))
        for turn in users:
            if len(turn) > limit:
                raise InputError(self.knowledge.say("prompts", "too_long", found=len(turn), limit=limit))
        if not users or not _WORD.search(users[-1]):
            return self._advice(Reading({}), None, self._explainer.prompt())
        reading = self._read(users)
        decision = self._decider.decide(reading)
        return self._advice(reading, decision, self._explainer.explain(reading, decision))

    def stream(self, turns: Sequence[Turn]) -> Iterator[Event]:
        """The same advice as events, sentence by sentence; the deltas joined are ``Advice.text``."""
        advice = self.advise(turns)
        yield from (Delta(piece) for piece in self._pieces(advice.sentences))
        yield Done(advice)

    def _advice(self, reading: Reading, decision: Decision | None, sentences: tuple[Sentence, ...]) -> Advice:
        act: Act = "off_topic" if decision and decision.outcome == "off_topic" else "describe"
        return Advice(reading, decision, act, sentences, "".join(self._pieces(sentences)))

    def _pieces(self, sentences: tuple[Sentence, ...]) -> Iterator[str]:
        yield from pieces(sentences)
        cited = tuple(dict.fromkeys(source for sentence in sentences for source in sentence.sources))
        if cited:
            yield f"\n\n**{self.knowledge.say('headings', 'sources')}**\n"
        for number, source in enumerate(cited, 1):
            yield source_line(number, self.knowledge.passages[source])


def user_turns(turns: Sequence[Turn]) -> tuple[str, ...]:
    """The user's texts in order. A turn is a string (the user's) or ``{"role", "content"}``; assistant turns are left out.

    Raises ``InputError`` for anything else, and where the last message is not the user's.
    """
    users: list[str] = []
    role: object = "user"
    for place, turn in enumerate(turns, 1):
        if isinstance(turn, str):
            role, content = "user", turn
        elif isinstance(turn, Mapping):
            role, content = turn.get("role"), turn.get("content")  # type: ignore[assignment]
        else:
            raise InputError(f"message {place}: expected an object with role and content, found {type(turn).__name__}")
        if role not in ("user", "assistant"):
            raise InputError(f"message {place}: role must be user or assistant, found {role!r:.40}")
        if not isinstance(content, str):
            raise InputError(f"message {place}: content must be a string, found {type(content).__name__}")
        if role == "user":
            users.append(content)
    if not turns:
        raise InputError("messages is empty: give at least one message, the last one the user's")
    if role != "user":
        raise InputError("the last message must be the user's")
    return tuple(users)


def cache_folder() -> Path | None:
    """Where embeddings of the knowledge are kept: ADVISOR_CACHE, else advisor/ in the user's cache folder."""
    chosen = os.environ.get("ADVISOR_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "advisor"
    except RuntimeError:
        return None
