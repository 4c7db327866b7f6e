"""The form of every knowledge file, as pydantic models: unknown fields are refused."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from advisor.values import State

NonEmpty = Field(min_length=1)


class Record(BaseModel):
    """Base of all records: immutable, strict about fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Article(Record):
    """The source article."""

    title: str = NonEmpty
    publisher: str = NonEmpty
    url: str = NonEmpty


class Touches(Record):
    """For which projects an update is brought up."""

    outcomes: tuple[str, ...]
    criteria: tuple[str, ...]


class PassageRecord(Record):
    """A passage as written in a file; the update fields are required in an update file and refused elsewhere."""

    id: str = Field(pattern=r"^[GU]\d\d$")
    text: str = NonEmpty
    revises: tuple[str, ...] | None = None
    standing: str | None = None
    package: str | None = None
    version: str | None = None
    date: str | None = Field(default=None, pattern=r"^\d{4}-\d\d-\d\d$")
    evidence: str | None = None
    url: str | None = None
    weight: Literal["high", "medium", "low"] | None = None
    matters_for: Touches | None = None


class PassageFile(Record):
    """A file of passages that share an article section and a layer."""

    section: str = NonEmpty
    layer: Literal["article", "update"]
    passage: tuple[PassageRecord, ...] = Field(min_length=1)


class Passage(Record):
    """A passage with its place: what a sentence can cite."""

    id: str
    text: str
    section: str
    layer: Literal["article", "update"]
    url: str
    revises: tuple[str, ...] = ()
    standing: str = ""
    package: str = ""
    version: str = ""
    date: str = ""
    evidence: str = ""
    weight: Literal["high", "medium", "low"] = "medium"
    matters_for: Touches = Touches(outcomes=(), criteria=())


class Criterion(Record):
    """One word of the closed vocabulary, with the passages it rests on and the ways people say it."""

    id: str
    group: Literal["users", "state", "production", "none_of_the_three", "background"]
    label: str = NonEmpty
    short: str = NonEmpty
    passages: tuple[str, ...] = Field(min_length=1)
    requirement: str | None = None
    phrasings: tuple[str, ...] = Field(min_length=5)
    counter_examples: tuple[str, ...] = Field(min_length=2)


class Limit(Record):
    """An article passage that speaks against an outcome where the criteria hold; no criteria: always."""

    passage: str
    criteria: tuple[str, ...]


class Outcome(Record):
    """One answer the advisor can give; ``names`` are the words by which people mean it."""

    id: str
    order: int
    name: str = NonEmpty
    headline: str = NonEmpty
    family: Literal["one_of_the_three", "none_of_the_three", "abstention"]
    essence: str
    production: tuple[str, ...]
    names: tuple[str, ...] = ()
    limit: tuple[Limit, ...] = ()


class Rule(Record):
    """Holds where any of ``any`` is asserted; the first rule that holds decides."""

    id: str
    outcome: str
    any: tuple[str, ...] = Field(min_length=1)
    reason: str = NonEmpty
    passages: tuple[str, ...] = Field(min_length=1)


class Cell(Record):
    """One cell of the article's requirement table."""

    words: str = NonEmpty
    fit: Literal[0, 1, 2]


class Rating(Record):
    """One row of the article's requirement table."""

    requirement: str = NonEmpty
    streamlit: Cell
    gradio: Cell
    reflex: Cell


class Option(Record):
    """A short answer, what it would say about criteria, and the words by which people give it; ``means``: a plain yes or no."""

    label: str = NonEmpty
    sets: dict[str, State] = Field(min_length=1)
    words: tuple[str, ...] = Field(min_length=1)
    means: Literal["yes", "no"] | None = None


class QuestionRecord(Record):
    """A clarifying question."""

    id: str
    text: str = NonEmpty
    options: tuple[Option, ...] = Field(min_length=2)


class Cue(Record):
    """Words that negate or defer what stands after (forward) or before (backward) them, within ``scope`` words."""

    state: Literal["negated", "deferred"]
    direction: Literal["forward", "backward"]
    scope: int = Field(ge=1)
    words: tuple[str, ...] = Field(min_length=1)


class Threshold(Record):
    """A number that decides something."""

    value: float
    unit: str = NonEmpty
    reference: str = NonEmpty


class Language(Record):
    """A language other than English: whether the reader was trained on it, and what a reply says first, in it."""

    reads: bool
    note: str = NonEmpty


class PageExample(Record):
    """An example description on the first page."""

    title: str = NonEmpty
    text: str = NonEmpty


class RuleFile(Record):
    """rules.toml"""

    rule: tuple[Rule, ...] = Field(min_length=1)


class AnswerWords(Record):
    """Words of a short answer to any question: yes, no, denials of what follows, they can't tell, places in the list."""

    yes: tuple[str, ...] = Field(min_length=1)
    no: tuple[str, ...] = Field(min_length=1)
    denials: tuple[str, ...] = Field(min_length=1)
    unsure: tuple[str, ...] = Field(min_length=1)
    places: tuple[tuple[str, ...], ...] = Field(min_length=1)


class QuestionFile(Record):
    """questions.toml"""

    answers: AnswerWords
    question: tuple[QuestionRecord, ...] = Field(min_length=1)


class UncoveredFile(Record):
    """uncovered.toml: tools that people ask about and no passage covers"""

    names: tuple[str, ...] = Field(min_length=1)


class CueFile(Record):
    """cues.toml"""

    cue: tuple[Cue, ...] = Field(min_length=1)


class PageExampleFile(Record):
    """page_examples.toml"""

    example: tuple[PageExample, ...] = Field(min_length=1)
