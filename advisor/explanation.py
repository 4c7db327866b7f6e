"""Turns a decision into sentences, each with its passages or marked as inference.

In: the reading and the decision. Out: sentences. All wording comes from the knowledge; nothing is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set

from advisor.knowledge import QUEUE, QUEUE_SINCE, TOO_LITTLE, Knowledge
from advisor.schema import Passage
from advisor.values import ABSTENTIONS, Block, Decision, Flip, Reading, Sentence, SentenceKind, Signal

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#|~$!])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")
QUOTE_LIMIT = 160
"""Characters of a quote shown in a reply; the evidence itself is never cut."""


class Explainer:
    """Words a decision with the knowledge's templates and passages."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge

    def explain(self, reading: Reading, decision: Decision, beside: Sequence[Passage] = ()) -> tuple[Sentence, ...]:
        """The reply, in the order in which it is read. ``beside``: passages on what is asked beside the description."""
        if decision.outcome == "off_topic":
            return tuple(self._off_topic())
        clarify = decision.outcome == "clarify"
        told = tuple(self._clarify(reading, decision) if clarify else self._recommend(reading, decision))
        answered = tuple(self._beside(beside, {source for sentence in told for source in sentence.sources}))
        flips, asked = tuple(self.flips(decision.flips)), tuple(self.question(decision))
        return (*told, *answered, *((*asked, *flips) if clarify else (*flips, *asked)))

    def prompt(self) -> tuple[Sentence, ...]:
        """The reply to a text without words."""
        return (Sentence(self._say("prompts", "empty"), "connective", block="paragraph"),)

    def _recommend(self, reading: Reading, decision: Decision) -> Iterator[Sentence]:
        yield from self.headline(decision)
        yield from self.because(reading, decision)
        yield from self._why_not(reading, decision)
        yield from self._production(reading, decision)
        yield from self._updates(reading, decision)
        yield from self.add_ons(reading, decision)

    def _off_topic(self) -> Iterator[Sentence]:
        yield Sentence(self._say("off_topic", "headline"), "inference", block="paragraph")
        yield Sentence(self._say("off_topic", "offer"), "connective")

    def _clarify(self, reading: Reading, decision: Decision) -> Iterator[Sentence]:
        yield Sentence(self._say("clarify", "headline"), "inference", (TOO_LITTLE,), "paragraph")
        for signal in self.said(reading)[:2]:
            criterion = self._knowledge.criteria[signal.criterion]
            text = self._say("clarify", "understood", quote=plain_quote(signal), short=criterion.short)
            yield Sentence(text, "user", criterion.passages[:1])
        if decision.runner_up and decision.scores[decision.runner_up] >= 0.25:
            text = self._say(
                "clarify",
                "lean",
                outcome=self._headline_of(decision.runner_up),
                percent=percent(decision.scores[decision.runner_up]),
            )
            yield Sentence(text, "inference", (self._knowledge.outcomes[decision.runner_up].essence,))

    def _beside(self, passages: Sequence[Passage], cited: Set[str]) -> Iterator[Sentence]:
        """The passages for a question beside a description, without those that the reply has cited already."""
        left = [passage for passage in passages if passage.id not in cited]
        if left:
            yield Sentence(self._say("answer", "beside"), "connective", block="paragraph")
            yield from self.passages(left, "run", cited)

    def passages(self, passages: Sequence[Passage], block: Block, cited: Set[str] = frozenset()) -> Iterator[Sentence]:
        """Each passage and what has changed since, every one once and none that is ``cited``; the first one as ``block``."""
        shown: list[str] = []
        for passage in passages:
            revised = [p.id for p in self._knowledge.passages.values() if p.layer == "update" and passage.id in p.revises]
            for told in (passage.id, *revised[:2]):
                if told not in (*shown, *cited):
                    yield self.passage(told, "run" if shown else block)
                    shown.append(told)

    def headline(self, decision: Decision) -> Iterator[Sentence]:
        outcome = self._knowledge.outcomes[decision.outcome]
        name, likely = outcome.headline, percent(decision.confidence)
        if decision.guess:
            text = self._say("headline", "guess", outcome=name, percent=likely)
        elif decision.confidence >= self._knowledge.number("sure") or decision.runner_up is None:
            text = self._say("headline", "sure", outcome=name, percent=likely)
        else:
            runner_up = self._knowledge.outcomes[decision.runner_up].name
            text = self._say("headline", "lean", outcome=name, percent=likely, runner_up=runner_up)
        yield Sentence(capital(text), "inference", (outcome.essence,), "paragraph")
        yield from self.rule(decision)

    def rule(self, decision: Decision) -> Iterator[Sentence]:
        """The rule that decided, or that the text as a whole did."""
        rule = self._knowledge.rule_of(decision.outcome)
        if rule and decision.by_rule >= self._knowledge.number("asserted"):
            yield Sentence(self._say("headline", "rule", reason=rule.reason), "inference", rule.passages)
        else:
            yield Sentence(self._say("headline", "whole_text"), "inference")

    def because(self, reading: Reading, decision: Decision) -> Iterator[Sentence]:
        rule = self._knowledge.rule_of(decision.outcome)
        said = self.said(reading)
        deciding = [signal for signal in said if rule and signal.criterion in rule.any]
        kindred = [
            s for s in said if s not in deciding and not self._decides(s.criterion) and s.criterion != "heavy_background"
        ]
        shown: list[str] = []
        if deciding or kindred:
            yield self._heading("because")
        for signal in (*deciding, *kindred)[:4]:
            criterion = self._knowledge.criteria[signal.criterion]
            text = self._say("because", "quote", quote=plain_quote(signal), short=criterion.short)
            yield Sentence(text, "user", criterion.passages, "item")
            fresh = [p for p in criterion.passages if p not in shown]
            if fresh:
                yield self.passage(fresh[0])
                shown.append(fresh[0])
        if not deciding:
            yield self.passage(self._knowledge.outcomes[decision.outcome].essence, "paragraph")

    def _why_not(self, reading: Reading, decision: Decision) -> Iterator[Sentence]:
        yield self._heading("why_not")
        for other in self._knowledge.outcomes.values():
            if other.id != decision.outcome and other.id not in ABSTENTIONS:
                yield from self.against(other.id, reading, decision)

    def against(self, outcome: str, reading: Reading, decision: Decision, every: bool = False) -> Iterator[Sentence]:
        """What the text says of another outcome, and the passage, or every passage, that speaks against it here."""
        other, rule = self._knowledge.outcomes[outcome], self._knowledge.rule_of(outcome)
        assert rule is not None
        said = {signal.criterion: signal for signal in self.said(reading)}
        own = [said[criterion] for criterion in rule.any if criterion in said]
        ruled_out = [s for c in rule.any if (s := reading.signals.get(c)) and s.state == "negated" and s.evidence
                     and s.probability >= self._knowledge.number("asserted")]  # fmt: skip
        deciding = self._knowledge.rule_of(decision.outcome)
        first = deciding is not None and self._knowledge.rules.index(deciding) < self._knowledge.rules.index(rule)
        if own and not (first and decision.by_rule >= self._knowledge.number("asserted")):
            text = self._say("why_not", "outweighed", outcome=other.name, quote=plain_quote(own[0]))
        elif own:
            text = self._say("why_not", "overruled", outcome=other.name, quote=plain_quote(own[0]))
        elif ruled_out:
            text = self._say("why_not", "negated", outcome=other.name, quote=plain_quote(ruled_out[0]))
        elif other.id == decision.runner_up and decision.scores[other.id] >= 0.1:
            text = self._say("why_not", "leaning", outcome=other.name, percent=percent(decision.scores[other.id]))
        else:
            text = self._say("why_not", "not_said", outcome=other.name)
        yield Sentence(text, "inference", rule.passages, "item")
        fitting = [l.passage for l in other.limit if not l.criteria or set(l.criteria) & said.keys()]
        shown = tuple(dict.fromkeys(fitting if every else fitting[:1]))
        for passage in shown:
            yield self.passage(passage)
        for update in self.updates_of(shown, (outcome,)) if every else ():
            yield self.passage(update.id)

    def updates_of(self, passages: Sequence[str], outcomes: Sequence[str]) -> list[Passage]:
        """What has changed since these passages of the article, where it matters for one of the outcomes."""
        return [
            p for p in self._knowledge.passages.values()
            if p.layer == "update" and set(passages) & set(p.revises) and set(outcomes) & set(p.matters_for.outcomes)
        ]  # fmt: skip

    def _production(self, reading: Reading, decision: Decision) -> Iterator[Sentence]:
        yield self._heading("production")
        outcome = self._knowledge.outcomes[decision.outcome]
        for signal in self.said(reading):
            requirement = self._knowledge.criteria[signal.criterion].requirement
            if requirement and outcome.family == "one_of_the_three":
                row = self._knowledge.ratings[requirement]
                words = getattr(row, outcome.id).words
                text = self._say("production", "rating", requirement=row.requirement, outcome=outcome.name, words=words)
                yield Sentence(text, "article", (requirement,), "item")
        for passage in outcome.production:
            yield self.passage(passage, "item")
        if not outcome.production:
            text = self._say("production", "not_covered", outcome=_lower(outcome.name))
            yield Sentence(text, "inference", block="paragraph")

    def _updates(self, reading: Reading, decision: Decision) -> Iterator[Sentence]:
        said = {signal.criterion for signal in self.said(reading)}
        cited = {p for criterion in said for p in self._knowledge.criteria[criterion].passages}
        cited |= set(self._knowledge.outcomes[decision.outcome].production)
        rank = {"high": 2, "medium": 1, "low": 0}

        def touches(update: Passage) -> tuple[int, int]:
            return len(said & set(update.matters_for.criteria)) + len(cited & set(update.revises)), rank[update.weight]

        fitting = [p for p in self._knowledge.passages.values()
                   if p.layer == "update" and decision.outcome in p.matters_for.outcomes and touches(p)[0]]  # fmt: skip
        chosen = sorted(fitting, key=touches, reverse=True)[: int(self._knowledge.number("update_count"))]
        if chosen:
            yield self._heading("updates")
        for update in chosen:
            yield self.passage(update.id, "item")

    def add_ons(self, reading: Reading, decision: Decision) -> Iterator[Sentence]:
        if "task_queue" not in decision.add_ons:
            return
        yield self._heading("add_ons")
        signal = reading.signals["heavy_background"]
        if signal.evidence:
            text = self._say("add_ons", "task_queue", quote=plain_quote(signal))
        else:
            text = self._say("add_ons", "task_queue_whole")
        yield Sentence(text, "inference", (QUEUE,), "item")
        yield self.passage(QUEUE)
        yield self.passage(QUEUE_SINCE)

    def flips(self, flips: Sequence[Flip]) -> Iterator[Sentence]:
        if flips:
            yield self._heading("flips")
        for flip in flips:
            changes = self._say("flips", "joiner").join(
                self._say("flips", "asserted" if state == "asserted" else "negated", short=self._knowledge.criteria[name].short)
                for name, state in flip.changes.items()
            )
            rule = self._knowledge.rule_of(flip.outcome)
            assert rule is not None
            outcome = self._knowledge.outcomes[flip.outcome]
            text = self._say("flips", "one", changes=changes, outcome=outcome.headline)
            yield Sentence(text, "inference", rule.passages, "item")

    def question(self, decision: Decision) -> Iterator[Sentence]:
        if decision.question:
            yield self._heading("question")
            yield Sentence(self._say("question", "ask", question=decision.question.text), "connective", block="paragraph")
            options = self._say("question", "option_joiner").join(decision.question.options)
            yield Sentence(self._say("question", "options", options=options), "connective")

    def said(self, reading: Reading) -> list[Signal]:
        """Asserted signals with words for them, surest first."""
        threshold = self._knowledge.number("asserted")
        said = [s for s in reading.signals.values() if s.asserted >= threshold and s.evidence]
        return sorted(said, key=lambda signal: -signal.probability)

    def _decides(self, criterion: str) -> bool:
        return any(criterion in rule.any for rule in self._knowledge.rules)

    def _headline_of(self, outcome: str) -> str:
        return self._knowledge.outcomes[outcome].headline

    def _heading(self, name: str) -> Sentence:
        return Sentence(self._say("headings", name), "connective", block="heading")

    def passage(self, passage_id: str, block: Block = "run") -> Sentence:
        passage = self._knowledge.passages[passage_id]
        kind: SentenceKind = passage.layer
        text = passage.text
        if passage.layer == "update":
            text = self._say(
                "updates", "marked", package=passage.package, version=passage.version, date=passage.date, text=passage.text
            )
        return Sentence(text, kind, (passage_id,), block)

    def _say(self, part: str, name: str, **slots: object) -> str:
        return self._knowledge.say(part, name, **slots)


def plain_quote(signal: Signal) -> str:
    """The first evidence as one line of plain text: control characters out, Markdown and HTML characters escaped."""
    plain = " ".join(_CONTROL.sub(" ", signal.evidence[0].quote).split())
    return _MARKDOWN.sub(r"\\\1", clipped(plain, QUOTE_LIMIT))


def clipped(text: str, limit: int) -> str:
    """The text, or as many of its whole words as fit into ``limit`` characters."""
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + " …"


def percent(probability: float) -> int:
    """A probability in per cent, never 0 or 100: nothing is that sure."""
    return min(99, max(1, round(100 * probability)))


def capital(text: str) -> str:
    """The first letter as a capital, past Markdown's marks."""
    place = next((i for i, character in enumerate(text) if character.isalpha()), 0)
    return text[:place] + text[place : place + 1].upper() + text[place + 1 :]


def _lower(name: str) -> str:
    return name[0].lower() + name[1:] if name.startswith(("A ", "An ")) else name
