"""Loads and checks the folder ``knowledge/``.

In: the folder. Out: one immutable ``Knowledge``. All problems of all files are collected and raised once, each with
file and place. Does not read the labelled examples (training does) nor the weights (their readers do).
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError

from advisor import schema
from advisor.errors import KnowledgeError
from advisor.values import OutcomeId

FOLDER = Path(__file__).resolve().parent.parent / "knowledge"

T = TypeVar("T", bound=BaseModel)

TOO_LITTLE, QUEUE, QUEUE_SINCE = "G56", "G38", "U16"
"""Passages that the code quotes by themselves: what must be known first, the task queue, and what changed about it."""

THRESHOLDS = frozenset({
    "input_limit", "talk_limit", "restart", "asserted", "sure", "question_gain", "flip_count", "update_count", "clause_words",
    "prototype_scale", "prototype_margin", "off_topic_similarity", "evidence", "second_evidence",
    "questions_in_a_row", "passages_in_an_answer", "answerable", "dropped_words", "language", "language_words",
    "fairly_sure", "near_tie", "link_limit", "asks_beside", "task_queue",
})  # fmt: skip
"""The numbers that the code asks for; thresholds.toml has exactly these."""

WORDING: Mapping[str, Mapping[str, frozenset[str]]] = {
    "headings": dict.fromkeys(
        ("because", "why_not", "production", "updates", "add_ons", "flips", "question", "sources"), frozenset()
    ),
    "headline": {
        "sure": frozenset({"outcome", "percent"}),
        "lean": frozenset({"outcome", "percent", "runner_up"}),
        "guess": frozenset({"outcome", "percent"}),
        "rule": frozenset({"reason"}),
        "whole_text": frozenset(),
    },
    "because": {"quote": frozenset({"quote", "short"})},
    "why_not": {
        "not_said": frozenset({"outcome"}),
        "negated": frozenset({"outcome", "quote"}),
        "overruled": frozenset({"outcome", "quote"}),
        "outweighed": frozenset({"outcome", "quote"}),
        "leaning": frozenset({"outcome", "percent"}),
        "it_is": frozenset({"outcome"}),
        "instead": frozenset({"outcome"}),
    },
    "changed": {
        "asserted": frozenset({"quote", "short"}),
        "negated": frozenset({"quote", "short"}),
        "deferred": frozenset({"quote", "short"}),
        "opened": frozenset({"short"}),
        "nothing_read": frozenset(),
        "unsure": frozenset(),
        "stays": frozenset({"outcome"}),
        "moves": frozenset({"before", "outcome"}),
        "settled": frozenset({"outcome"}),
        "open": frozenset({"before"}),
    },
    "what_if": {"same": frozenset({"outcome"}), "other": frozenset({"outcome"}), "open": frozenset()},
    "compare": {
        "headline": frozenset({"names"}),
        "joiner": frozenset(),
        "requirement": frozenset(),
        "ratings": frozenset(),
    },
    "answer": {
        "not_covered": frozenset(),
        "covers": frozenset(),
        "tool": frozenset({"tools"}),
        "stands": frozenset({"outcome"}),
        "nothing_stands": frozenset(),
        "beside": frozenset(),
    },
    "meta": {"who": frozenset(), "offer": frozenset(), "restarted": frozenset(), "thanks": frozenset()},
    "production": {
        "rating": frozenset({"requirement", "outcome", "words"}),
        "not_covered": frozenset({"outcome"}),
    },
    "updates": {"marked": frozenset({"package", "version", "date", "text"})},
    "add_ons": {"task_queue": frozenset({"quote"}), "task_queue_whole": frozenset()},
    "flips": {
        "one": frozenset({"changes", "outcome"}),
        "asserted": frozenset({"short"}),
        "negated": frozenset({"short"}),
        "joiner": frozenset(),
    },
    "correct": {
        "asserted": frozenset({"short"}),
        "negated": frozenset({"short"}),
        "open": frozenset({"short"}),
        "what_if": frozenset({"changes"}),
    },
    "question": {"ask": frozenset({"question"}), "options": frozenset({"options"}), "option_joiner": frozenset()},
    "clarify": {
        "headline": frozenset(),
        "lean": frozenset({"outcome", "percent"}),
        "understood": frozenset({"quote", "short"}),
    },
    "record": {
        **dict.fromkeys(
            (
                "title", "empty", "task_queue", "understood", "correct_hint", "nothing_said", "asserted", "negated", "deferred",
                "unsaid", "set_true", "set_false", "set_open", "scores", "ratings", "no_ratings", "no_flips", "cited_earlier",
                "back", "export", "as_markdown", "as_json", "link", "copy", "copied", "link_too_long",
            ),
            frozenset(),
        ),
        **dict.fromkeys(("set_true_of", "set_false_of", "set_open_of"), frozenset({"label"})),
        "how_sure": frozenset({"sure", "percent"}),
        "near_tie": frozenset({"outcome"}),
        "not_said": frozenset({"count"}),
    },
    "sure": dict.fromkeys(("sure", "fairly", "lean", "tie"), frozenset()),
    "madr": {
        **dict.fromkeys(("context", "drivers", "options", "outcome", "scores", "undecided"), frozenset()),
        "title": frozenset({"outcome"}),
        "chosen": frozenset({"outcome", "sure", "percent"}),
    },
    "off_topic": {"headline": frozenset(), "offer": frozenset()},
    "prompts": {"empty": frozenset(), "too_long": frozenset({"found", "limit"}), "long_talk": frozenset({"found", "limit"})},
    "page": dict.fromkeys(
        (
            "title", "intro", "limits", "placeholder", "send", "stop", "examples", "passages", "no_passages",
            "short_description", "article_badge", "update_badge", "chat_placeholder",
            "history", "no_history", "fresh", "reason", "done",
        ),
        frozenset(),
    ),
}  # fmt: skip
"""Every template the code asks for, with its slots; wording.toml has exactly these."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All the knowledge a reply rests on. Mappings keep the order of the files."""

    article: schema.Article
    passages: Mapping[str, schema.Passage]
    outcomes: Mapping[str, schema.Outcome]
    criteria: Mapping[str, schema.Criterion]
    rules: tuple[schema.Rule, ...]
    ratings: Mapping[str, schema.Rating]
    questions: tuple[schema.QuestionRecord, ...]
    answers: schema.AnswerWords
    uncovered: tuple[str, ...]
    languages: Mapping[str, schema.Language]
    cues: tuple[schema.Cue, ...]
    wording: Mapping[str, Mapping[str, str]]
    thresholds: Mapping[str, schema.Threshold]
    page_examples: tuple[schema.PageExample, ...]

    def number(self, name: str) -> float:
        """The value of the threshold ``name``."""
        return self.thresholds[name].value

    def say(self, part: str, name: str, **slots: object) -> str:
        """The template ``part.name`` with its slots filled."""
        return self.wording[part][name].format(**slots)

    def rule_of(self, outcome: str) -> schema.Rule | None:
        """The rule that leads to ``outcome``; None for an abstention."""
        return next((rule for rule in self.rules if rule.outcome == outcome), None)


class _Loader:
    """Reads files one by one and remembers every problem instead of stopping at the first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []

    def toml(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self.problems.append(f"{path}: not found; restore it from the repository")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            self.problems.append(f"{path}: not readable as TOML: {error}")
        return {}

    def check(self, name: str, model: type[T], data: object) -> T | None:
        try:
            return model.model_validate(data)
        except ValidationError as error:
            self.report(name, error)
            return None

    def report(self, name: str, error: ValidationError) -> None:
        for item in error.errors():
            place = ".".join(str(step) for step in item["loc"]) or "top level"
            self.problems.append(f"{self.folder / name}: {place}: {item['msg']} (found {item['input']!r:.80})")

    def one(self, name: str, model: type[T]) -> T | None:
        before = len(self.problems)
        data = self.toml(name)
        return None if len(self.problems) > before else self.check(name, model, data)

    def table(self, name: str, model: type[T]) -> dict[str, T]:
        checked = {key: self.check(name, model, value) for key, value in self.toml(name).items()}
        return {key: value for key, value in checked.items() if value is not None}

    def records(self, subfolder: str, model: type[T]) -> dict[str, T]:
        """One record a file; the file name is the id."""
        found: dict[str, T] = {}
        for path in sorted((self.folder / subfolder).glob("*.toml")):
            name = f"{subfolder}/{path.name}"
            before = len(self.problems)
            data = self.toml(name)
            if len(self.problems) > before:
                continue
            if (value := self.check(name, model, {"id": path.stem, **data})) is not None:
                found[path.stem] = value
        if not found:
            self.problems.append(f"{self.folder / subfolder}: no record found; restore the folder from the repository")
        return found

    def passages(self, article: schema.Article | None) -> dict[str, schema.Passage]:
        found: dict[str, schema.Passage] = {}
        update_fields = {"revises", "standing", "package", "version", "date", "evidence", "url", "weight", "matters_for"}
        for path in sorted((self.folder / "passages").glob("*.toml")):
            name = f"passages/{path.name}"
            file = self.one(name, schema.PassageFile)
            for record in file.passage if file else ():
                assert file is not None
                given = record.model_dump(exclude_none=True)
                extra, missing = update_fields & given.keys(), update_fields - given.keys()
                if file.layer == "article" and extra:
                    self.problems.append(f"{path}: {record.id}: an article passage has no {sorted(extra)}")
                elif file.layer == "update" and missing:
                    self.problems.append(f"{path}: {record.id}: an update needs {sorted(missing)}")
                elif record.id in found:
                    self.problems.append(f"{path}: {record.id}: this id is already taken in another place")
                else:
                    url: dict[str, Any] = {"url": article.url} if article and file.layer == "article" else {}
                    found[record.id] = schema.Passage(section=file.section, layer=file.layer, **url, **given)
        return found

    def resolve(self, place: str, kind: str, ids: Iterable[str], known: Iterable[str]) -> None:
        known_ids = set(known)
        for found in ids:
            if found not in known_ids:
                self.problems.append(f"{self.folder / place}: {kind} {found!r} does not exist")

    def wording(self) -> dict[str, dict[str, str]]:
        data = self.toml("wording.toml")
        try:
            found = TypeAdapter(dict[str, dict[str, str]]).validate_python(data)
        except ValidationError as error:
            self.report("wording.toml", error)
            return {}
        path = self.folder / "wording.toml"
        for part, names in WORDING.items():
            for name, slots in names.items():
                if name not in found.get(part, {}):
                    self.problems.append(f"{path}: {part}.{name}: missing")
                    continue
                used = {field for _, field, _, _ in string.Formatter().parse(found[part][name]) if field}
                if used != slots:
                    self.problems.append(f"{path}: {part}.{name}: has slots {sorted(used)}, expected {sorted(slots)}")
        for part, texts in found.items():
            for name in texts:
                if name not in WORDING.get(part, {}):
                    self.problems.append(f"{path}: {part}.{name}: unknown, remove it or spell it as the code does")
        return found


def load(folder: Path = FOLDER) -> Knowledge:
    """Read and check the whole folder; raises ``KnowledgeError`` with every problem found."""
    loader = _Loader(folder)
    article = loader.one("article.toml", schema.Article)
    passages = loader.passages(article)
    outcomes = dict(sorted(loader.records("outcomes", schema.Outcome).items(), key=lambda item: item[1].order))
    criteria = loader.records("criteria", schema.Criterion)
    rules = loader.one("rules.toml", schema.RuleFile)
    questions = loader.one("questions.toml", schema.QuestionFile)
    cues = loader.one("cues.toml", schema.CueFile)
    examples = loader.one("page_examples.toml", schema.PageExampleFile)
    uncovered = loader.one("uncovered.toml", schema.UncoveredFile)
    languages = loader.table("languages.toml", schema.Language)
    ratings = loader.table("ratings.toml", schema.Rating)
    thresholds = loader.table("thresholds.toml", schema.Threshold)
    wording = loader.wording()

    for passage in passages.values():
        place = f"passages ({passage.id})"
        loader.resolve(place, "passage", passage.revises, passages)
        loader.resolve(place, "outcome", passage.matters_for.outcomes, outcomes)
        loader.resolve(place, "criterion", passage.matters_for.criteria, criteria)
    for criterion in criteria.values():
        place = f"criteria/{criterion.id}.toml"
        loader.resolve(place, "passage", criterion.passages, passages)
        loader.resolve(place, "rating", (criterion.requirement,) if criterion.requirement else (), ratings)
    loader.resolve("outcomes", "outcome", outcomes, get_args(OutcomeId))
    loader.resolve("advisor/values.py", "outcome", get_args(OutcomeId), outcomes)
    for outcome in outcomes.values():
        place = f"outcomes/{outcome.id}.toml"
        loader.resolve(place, "passage", (outcome.essence, *outcome.production), passages)
        for limit in outcome.limit:
            loader.resolve(place, "passage", (limit.passage,), passages)
            loader.resolve(place, "criterion", limit.criteria, criteria)
    for rule in rules.rule if rules else ():
        place = f"rules.toml ({rule.id})"
        loader.resolve(place, "outcome", (rule.outcome,), outcomes)
        loader.resolve(place, "criterion", rule.any, criteria)
        loader.resolve(place, "passage", rule.passages, passages)
    for question in questions.question if questions else ():
        for option in question.options:
            loader.resolve(f"questions.toml ({question.id})", "criterion", option.sets, criteria)
    loader.resolve("ratings.toml", "passage", ratings, passages)
    loader.resolve("advisor/knowledge.py", "passage", (TOO_LITTLE, QUEUE, QUEUE_SINCE), passages)
    for name in THRESHOLDS ^ thresholds.keys():
        verdict = "missing" if name in THRESHOLDS else "unknown, remove it"
        loader.problems.append(f"{folder / 'thresholds.toml'}: {name}: {verdict}")

    if loader.problems or not (article and rules and questions and cues and examples and uncovered):
        raise KnowledgeError(loader.problems)
    return Knowledge(
        article=article,
        passages=passages,
        outcomes=outcomes,
        criteria=criteria,
        rules=rules.rule,
        ratings=ratings,
        questions=questions.question,
        answers=questions.answers,
        uncovered=uncovered.names,
        languages=languages,
        cues=cues.cue,
        wording=wording,
        thresholds=thresholds,
        page_examples=examples.example,
    )
