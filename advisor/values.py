"""The value types in which the stages meet.

Pure data: frozen dataclasses and literals, no behaviour beyond derived properties. Offsets are character
offsets into one user turn, counted from 0, end exclusive. Probabilities are floats in 0..1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

OutcomeId = Literal["streamlit", "gradio", "reflex", "django_or_fastapi", "bi_tool", "fastapi", "clarify", "off_topic"]
State = Literal["asserted", "negated", "deferred"]
Status = Literal["recommended", "needs_information", "out_of_scope"]
Act = Literal[
    "describe",
    "refine",
    "retract",
    "answer",
    "why",
    "why_not",
    "what_if",
    "compare",
    "question",
    "meta",
    "restart",
    "off_topic",
]
ACTS: tuple[Act, ...] = get_args(Act)
SentenceKind = Literal["article", "update", "user", "inference", "connective"]
Block = Literal["heading", "paragraph", "item", "run", "header", "row"]

ABSTENTIONS: frozenset[str] = frozenset({"clarify", "off_topic"})
FLOOR = 1e-4
"""Smallest probability that enters a logarithm."""
STATES: tuple[State, ...] = ("asserted", "negated", "deferred")


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of one user turn that says one thing: ``text == turn[start:end]``."""

    turn: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The user's own words for a criterion: ``quote == turns[turn][start:end]``."""

    turn: int
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Signal:
    """What was read about one criterion: the likeliest state, the probability of that state, the words for it."""

    criterion: str
    state: State
    probability: float
    evidence: tuple[Evidence, ...]

    @property
    def asserted(self) -> float:
        """Probability that the text asserts the criterion; a negated or deferred one is not asserted."""
        return self.probability if self.state == "asserted" else 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything read from the turns: one signal a criterion, and a second opinion on the outcome.

    ``opinion`` maps every outcome id to a probability, adding up to 1; it is empty where the reader has none. ``unset`` holds
    what was read of the criteria that somebody has set by hand; their ``signals`` are what they were set to.
    """

    signals: Mapping[str, Signal]
    opinion: Mapping[str, float] = field(default_factory=dict)
    unset: Mapping[str, Signal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the voices are joined and what a score is worth.

    ``rules`` and ``opinion`` weigh the logarithms of the two distributions; within the opinion, ``words`` weighs that of the
    words beside 1 for that of the encoder. ``curve`` maps the top score to the probability that the outcome is acceptable, as
    points (score, probability) with rising scores.
    """

    rules: float = 1.0
    opinion: float = 1.0
    words: float = 0.0
    curve: tuple[tuple[float, float], ...] = ((0.0, 0.0), (1.0, 1.0))


@dataclass(frozen=True, slots=True)
class Blend:
    """What counts for the opinion after a turn: all statements read together, the turn alone, and what stood before.

    Exponents of the three distributions, fitted for each act that changes a project.
    """

    joint: float = 1.0
    alone: float = 0.0
    before: float = 0.0


@dataclass(frozen=True, slots=True)
class Flip:
    """A smallest change of criteria that would make the rules give another outcome."""

    changes: Mapping[str, State]
    outcome: str


@dataclass(frozen=True, slots=True)
class Question:
    """A clarifying question with its short answers."""

    id: str
    text: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome with everything that makes it checkable.

    ``outcome`` is the likeliest outcome id, abstentions included; ``by_rule`` is the probability that the rules alone give it;
    ``guess`` tells that it is named only because enough was asked.
    """

    outcome: str
    scores: Mapping[str, float]
    confidence: float
    runner_up: str | None
    by_rule: float
    add_ons: tuple[str, ...]
    flips: tuple[Flip, ...]
    question: Question | None
    guess: bool = False

    @property
    def recommends(self) -> bool:
        """Whether the outcome is something to build with, and no abstention."""
        return self.outcome not in ABSTENTIONS

    @property
    def status(self) -> Status:
        """The contract's word for the kind of answer."""
        if self.outcome == "off_topic":
            return "out_of_scope"
        return "needs_information" if self.outcome == "clarify" else "recommended"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a reply, the passages behind it, and where it stands on the page.

    ``block``: a heading, a paragraph of its own, a list item, running on after the sentence before, or the header or a row of a
    table, whose ``cells`` it then holds.
    """

    text: str
    kind: SentenceKind
    sources: tuple[str, ...] = ()
    block: Block = "run"
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """A user turn that tells of the project; ``dropped`` are stretches of it that a later turn took back."""

    turn: int
    text: str
    dropped: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """What a turn does in its conversation, the outcomes it names, how sure that is, and tools named that no passage covers.

    ``asks`` is the probability that it is a question on the guidance, whatever else it is.
    """

    act: Act
    about: tuple[str, ...]
    probability: float
    unknown: tuple[str, ...] = ()
    asks: float = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """The project as it stands after some turns.

    ``latest`` holds the last word of a later turn on a criterion, ``by_hand`` what was set by hand since. ``asked`` are
    ids of the questions asked so far, ``open`` the one the last reply ended with, ``in_a_row`` how many replies in a row
    ended with one.
    """

    statements: tuple[Statement, ...] = ()
    latest: Mapping[str, Signal] = field(default_factory=dict)
    by_hand: Mapping[str, Signal] = field(default_factory=dict)
    reading: Reading = field(default_factory=lambda: Reading({}))
    decision: Decision | None = None
    asked: tuple[str, ...] = ()
    open: Question | None = None
    in_a_row: int = 0

    @property
    def recommended(self) -> Decision | None:
        """The decision, where it recommends something."""
        return self.decision if self.decision and self.decision.recommends else None


@dataclass(frozen=True, slots=True)
class Step:
    """One turn taken: what it did, where the project stood before and stands after.

    ``said`` are the signals that the turn itself gave; ``supposed`` is the project as a what-if would have it,
    or what a first turn that is no description would be as one.
    """

    heard: Heard
    before: Standing
    after: Standing
    said: tuple[Signal, ...] = ()
    supposed: Standing | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """The whole answer to a conversation; what every door returns. ``question`` is the one that this reply asks."""

    reading: Reading
    decision: Decision | None
    act: Act
    sentences: tuple[Sentence, ...]
    text: str
    question: Question | None = None

    @property
    def status(self) -> Status:
        """The contract's word for the kind of answer that the last turn got."""
        if self.act == "off_topic":
            return "out_of_scope"
        return self.decision.status if self.decision else "needs_information"

    @property
    def sources(self) -> tuple[str, ...]:
        """Ids of the cited passages in the order of their first citation, which is also their number in the text."""
        return tuple(dict.fromkeys(source for sentence in self.sentences for source in sentence.sources))


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the reply as it is written, with the ids of the passages that it cites.

    The pieces joined are exactly ``Advice.text``.
    """

    text: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a reply, with the whole of it."""

    advice: Advice


Event = Delta | Done
