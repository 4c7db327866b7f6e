"""The order of the stages, and nothing else: user turns -> reading -> decision -> explanation -> events."""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock

from advisor import knowledge as knowledge_files
from advisor.acts import ActReader
from advisor.answers import Answerer
from advisor.decision import Decider
from advisor.dialogue import TELLING, Dialogue, load_blends
from advisor.encoder import SentenceEncoder, default_model
from advisor.errors import InputError, ModelError
from advisor.explanation import Explainer
from advisor.knowledge import Knowledge
from advisor.language import LanguageReader
from advisor.retrieval import Found, Searcher
from advisor.signals import PrototypeReader, Reader
from advisor.stream import pieces, source_line
from advisor.trained import REBUILD, TrainedReader, weights_in
from advisor.values import (
    Advice,
    Blend,
    Calibration,
    Delta,
    Done,
    Event,
    Heard,
    Question,
    Sentence,
    Standing,
    Step,
)

Turn = str | Mapping[str, object]

CACHE_SIZE = 512
"""Readings and steps that are remembered; each is a few kilobytes."""

_WORD = re.compile(r"[^\W_]")


class Advisor:
    """From a conversation to advice: a pure function of the user's turns, safe to call from many threads.

    The step that each turn takes is remembered under the turns so far, so a new turn costs one step.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        reader: Reader,
        calibration: Calibration,
        acts: ActReader,
        blends: Mapping[str, Blend],
        searcher: Searcher,
        languages: LanguageReader,
    ) -> None:
        self.knowledge = knowledge
        self._languages = languages
        self._searcher = searcher
        decider = Decider(knowledge, calibration)
        read = lru_cache(maxsize=CACHE_SIZE)(reader.read)
        self._dialogue = Dialogue(knowledge, read, decider.decide, acts.hear, blends, self._legible)
        self._explainer = Explainer(knowledge)
        self._answerer = Answerer(knowledge, self._explainer)
        self._steps: OrderedDict[tuple[str, ...], Step] = OrderedDict()
        self._lock = Lock()

    @classmethod
    def load(cls, folder: Path = knowledge_files.FOLDER) -> Advisor:
        """The advisor on the real knowledge and encoder, warmed up.

        Raises ``KnowledgeError`` with every broken file, ``ModelError`` where the encoder or weights are missing or altered.
        """
        knowledge = knowledge_files.load(folder)
        weights, conversation, cache = weights_in(folder / "reader"), folder / "conversation", cache_folder()
        if {*weights.criteria, *weights.outcomes} != {*knowledge.criteria, *knowledge.outcomes}:
            raise ModelError(f"{weights.folder} was trained on other criteria or outcomes than {folder} has. Run: {REBUILD}")
        encoder = SentenceEncoder(str(default_model()), weights.adapter)
        heads = weights.load_heads(encoder.dim)
        reader: Reader
        if os.environ.get("ADVISOR_ENCODER"):  # the trained weights belong to the packaged encoder alone
            reader, calibration = PrototypeReader(knowledge, SentenceEncoder(), cache), Calibration()
        else:
            reader, calibration = TrainedReader(knowledge, encoder, heads, weights), weights.calibration()
        acts, searcher = ActReader(knowledge, encoder, conversation), Searcher(knowledge, encoder, heads, conversation, cache)
        advisor = cls(knowledge, reader, calibration, acts, load_blends(conversation), searcher, LanguageReader(knowledge))
        advisor.advise([knowledge.page_examples[0].text])
        return advisor

    def advise(self, turns: Sequence[Turn]) -> Advice:
        """The advice after the last user turn; raises ``InputError`` for a conversation that cannot be answered."""
        users = user_turns(turns)
        limit = int(self.knowledge.number("input_limit"))
        for turn in users:
            if len(turn) > limit:
                raise InputError(self.knowledge.say("prompts", "too_long", found=len(turn), limit=limit))
        together, limit = sum(map(len, users)), int(self.knowledge.number("talk_limit"))
        if together > limit:
            raise InputError(self.knowledge.say("prompts", "long_talk", found=together, limit=limit))
        step = self._after(users)
        found = self._search(step, users[-1])
        sentences = tuple(self._reply(step, users[-1], found))
        shown, alone = step.after, step.supposed
        aside = step.heard.act == "off_topic" or (step.heard.act == "question" and not found.passages)
        if shown.decision is None and aside and alone and alone.decision and not alone.decision.recommends:
            shown = (
                alone  # no project stands, this turn is none, and nothing answers it: what it would be as one tells its kind
            )
        text = "".join(piece.text for piece in self._pieces(sentences))
        return Advice(shown.reading, shown.decision, step.heard.act, sentences, text, question=_asked(sentences, step.after))

    def _after(self, users: tuple[str, ...]) -> Step:
        """The step of the last turn; the steps before it are looked up or taken again."""
        with self._lock:
            known = next((n for n in range(len(users), 0, -1) if users[:n] in self._steps), 0)
            step = self._steps[users[:known]] if known else Step(Heard("meta", (), 1.0), Standing(), Standing())
        for number in range(known, len(users)):
            step = self._dialogue.step(step.after, number, users[number])
            with self._lock:
                self._steps[users[: number + 1]] = step
                self._steps.move_to_end(users[: number + 1])
                while len(self._steps) > CACHE_SIZE:
                    self._steps.popitem(last=False)
        return step

    def _reply(self, step: Step, turn: str, found: Found) -> Iterator[Sentence]:
        """The sentences that answer a step; ``found`` is what answers a question, also one beside a description."""
        act, after, answer = step.heard.act, step.after, self._answerer
        language = self._languages.of(turn)
        if language:
            yield from answer.language(language)
            if not language.reads:
                return
        if step.heard.unknown and act in ("why_not", "compare"):
            yield from answer.uncovered(step.heard.unknown)
            if not step.heard.about:
                yield from answer.standing(after, "paragraph")
                return
        if not _WORD.search(turn):  # a thumbs up, a question mark
            yield from answer.meta(after) if after.statements else self._explainer.prompt()
        elif act == "what_if" and step.supposed:
            yield from answer.supposed(step)
        elif act == "why":
            yield from answer.why(after)
        elif act == "why_not":
            yield from answer.why_not(after, step.heard.about)
        elif act == "compare":
            yield from answer.compare(after, step.heard.about)
        elif act == "question":
            yield from answer.question(after, found.passages)
        elif act == "meta":
            yield from answer.meta(after)
        elif act == "off_topic" and (step.heard.about or step.heard.unknown):  # of these tools, yet nothing that is covered
            yield from answer.question(after, ())
        elif act == "off_topic":
            yield from answer.aside(after)
        elif act == "restart" and after.decision is None:
            yield from answer.restarted()
        elif after.decision is None:
            yield from self._explainer.prompt()
        else:
            if step.before.statements and act != "restart":
                yield from answer.changed(step)
            yield from self._explainer.explain(after.reading, after.decision, found.passages)

    def _search(self, step: Step, turn: str) -> Found:
        """The passages that answer a question, also one beside a description; none where nothing is asked or covered."""
        asks = step.heard.act == "question"
        if not asks and not (step.heard.act in TELLING and step.heard.asks >= self.knowledge.number("asks_beside")):
            return Found((), 0.0)
        name = self._project_name(step) if asks else ""
        found = self._searcher.search(turn, name, int(self.knowledge.number("passages_in_an_answer")))
        told = " ".join(passage.text for passage in found.passages).lower().replace(".", "")  # next.js, nextjs
        unknown = any(tool.lower().replace(".", "") not in told for tool in step.heard.unknown)
        return found if found.covered >= self.knowledge.number("answerable") and not unknown else Found((), found.covered)

    def _legible(self, turn: str) -> bool:
        language = self._languages.of(turn)
        return language is None or language.reads

    def _project_name(self, step: Step) -> str:
        """The name of what a question without a name is about: the recommendation that stands, if one does."""
        decision = step.after.recommended
        if step.heard.about or decision is None:
            return ""
        return self.knowledge.outcomes[decision.outcome].name

    def stream(self, turns: Sequence[Turn]) -> Iterator[Event]:
        """The same advice as events, sentence by sentence; the deltas joined are ``Advice.text``."""
        advice = self.advise(turns)
        yield from self._pieces(advice.sentences)
        yield Done(advice)

    def _pieces(self, sentences: tuple[Sentence, ...]) -> Iterator[Delta]:
        for piece, sentence in zip(pieces(sentences), sentences, strict=True):
            yield Delta(piece, sentence.sources)
        cited = tuple(dict.fromkeys(source for sentence in sentences for source in sentence.sources))
        if cited:
            yield Delta(f"\n\n**{self.knowledge.say('headings', 'sources')}**\n")
        for number, source in enumerate(cited, 1):
            yield Delta(source_line(number, self.knowledge.passages[source]))


def _asked(sentences: Sequence[Sentence], after: Standing) -> Question | None:
    """The clarifying question, if this reply asks it."""
    question = after.decision.question if after.decision else None
    return question if question and any(question.text in s.text for s in sentences) else None


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
