"""The explanation stage's replies to everything that is not a new recommendation: why, why not, compare, what if, questions.

In: a step of the conversation and, for a question, the passages found. Out: sentences. All wording comes from the
knowledge; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from advisor.explanation import Explainer, capital, plain_quote
from advisor.knowledge import TOO_LITTLE, Knowledge
from advisor.schema import Language, Passage
from advisor.values import ABSTENTIONS, Block, Decision, Reading, Sentence, Standing, Step


class Answerer:
    """Words the reply to a step that is not a description."""

    def __init__(self, knowledge: Knowledge, explainer: Explainer) -> None:
        self._knowledge = knowledge
        self._explain = explainer

    def changed(self, step: Step) -> Iterator[Sentence]:
        """What a correction, a retraction or a short answer changed, and whether the recommendation moved."""
        before, after = step.before.decision, step.after.decision
        shown = [signal for signal in step.said if signal.evidence][:2]
        first = True
        for signal in shown:
            short = self._knowledge.criteria[signal.criterion].short
            text = self._say("changed", signal.state, quote=plain_quote(signal), short=short)
            yield Sentence(
                text, "user", self._knowledge.criteria[signal.criterion].passages[:1], "paragraph" if first else "run"
            )
            first = False
        opened = [signal.criterion for signal in step.said if signal.probability == 0]
        for criterion in opened:
            text = self._say("changed", "opened", short=self._knowledge.criteria[criterion].short)
            yield Sentence(text, "inference", block="paragraph")
        if not shown and not opened:
            told = "unsure" if step.heard.act == "answer" else "nothing_read"
            yield Sentence(self._say("changed", told), "inference", block="paragraph")
        if before is None or after is None:
            return
        if before.outcome == after.outcome:
            if after.recommends:
                yield Sentence(self._say("changed", "stays", outcome=self._name(after)), "inference", self._essence(after))
        elif not after.recommends:
            yield Sentence(self._say("changed", "open", before=self._name(before)), "inference", (TOO_LITTLE,))
        elif not before.recommends:
            yield Sentence(self._say("changed", "settled", outcome=self._name(after)), "inference", self._essence(after))
        else:
            text = self._say("changed", "moves", before=self._name(before), outcome=self._name(after))
            yield Sentence(text, "inference", self._essence(after))

    def supposed(self, step: Step) -> Iterator[Sentence]:
        """What would follow from a supposition; the project stays as it was."""
        supposed, standing = step.supposed, step.before.decision
        assert supposed is not None
        then = supposed.decision
        if then is None or not then.recommends:
            yield Sentence(self._say("what_if", "open"), "inference", (TOO_LITTLE,), "paragraph")
        elif standing and then.outcome == standing.outcome:
            yield Sentence(
                self._say("what_if", "same", outcome=self._name(then)), "inference", self._essence(then), "paragraph"
            )
            yield from self._explain.rule(then)
        else:
            yield Sentence(
                self._say("what_if", "other", outcome=self._name(then)), "inference", self._essence(then), "paragraph"
            )
            yield from self._explain.rule(then)
        if then and then.recommends:
            yield from self._explain.because(supposed.reading, then)
        if then and "task_queue" in then.add_ons and not (standing and "task_queue" in standing.add_ons):
            yield from self._explain.add_ons(supposed.reading, then)
        yield from self.standing(step.after, "paragraph")

    def why(self, standing: Standing) -> Iterator[Sentence]:
        """The reasons of the standing recommendation."""
        decision = standing.recommended
        if decision is None:
            yield from self._nothing_stands(standing)
            return
        yield from self._explain.headline(decision)
        yield from self._explain.because(standing.reading, decision)
        if decision.runner_up:
            yield from self._against(decision.runner_up, standing.reading, decision)

    def why_not(self, standing: Standing, about: Sequence[str]) -> Iterator[Sentence]:
        """What speaks against the outcomes that were asked about, for this project; else against all the others."""
        decision = standing.recommended
        if decision is None:
            yield from self._nothing_stands(standing)
            return
        others = [o for o in about if o != decision.outcome]
        if not others:
            if about:
                yield Sentence(
                    capital(self._say("why_not", "it_is", outcome=self._name(decision))),
                    "inference",
                    self._essence(decision),
                    "paragraph",
                )
                yield from self._explain.because(standing.reading, decision)
                return
            others = [o.id for o in self._knowledge.outcomes.values() if o.id not in (*ABSTENTIONS, decision.outcome)]
            if decision.runner_up and self._knowledge.outcomes[decision.outcome].family == "one_of_the_three":
                others = [decision.runner_up]
            elif self._knowledge.outcomes[decision.outcome].family == "none_of_the_three":
                others = [o for o in others if self._knowledge.outcomes[o].family == "one_of_the_three"]
        for other in others[:3]:
            yield from self._against(other, standing.reading, decision)
        yield Sentence(
            self._say("why_not", "instead", outcome=self._name(decision)), "inference", self._essence(decision), "paragraph"
        )
        yield from self._explain.rule(decision)
        flips = [flip for flip in decision.flips if flip.outcome in others]
        yield from self._explain.flips(flips)

    def compare(self, standing: Standing, about: Sequence[str]) -> Iterator[Sentence]:
        """The outcomes that were named beside each other, along what this project needs.

        One alone is compared with what stands; without any, the three frameworks are, with what stands.
        """
        decision = standing.recommended
        chosen = list(about)
        if len(about) < 2 and decision:
            chosen = list(dict.fromkeys([*about, decision.outcome]))
        if not about or len(chosen) < 2:
            three = [o.id for o in self._knowledge.outcomes.values() if o.family == "one_of_the_three"]
            chosen = list(dict.fromkeys([*about, *three, *chosen]))
        all_names = self._say("compare", "joiner").join(self._knowledge.outcomes[o].name for o in chosen)
        yield Sentence(self._say("compare", "headline", names=all_names), "connective", block="paragraph")
        for outcome in chosen:
            record = self._knowledge.outcomes[outcome]
            for number, passage in enumerate(
                dict.fromkeys((record.essence, *(l.passage for l in record.limit if not l.criteria)))
            ):
                yield self._explain.passage(passage, "run" if number else "item")
        rated = [o for o in chosen if self._knowledge.outcomes[o].family == "one_of_the_three"]
        rows = self._rows(standing.reading) if len(rated) > 1 else []
        if rows:
            yield Sentence(self._say("compare", "ratings"), "connective", block="paragraph")
            yield self._table(
                "header", (self._say("compare", "requirement"), *(self._knowledge.outcomes[o].name for o in rated))
            )
        for row in rows:
            rating = self._knowledge.ratings[row]
            yield self._table("row", (rating.requirement, *(getattr(rating, o).words for o in rated)), row)
        for update in self._explain.updates_of(rows, rated):
            yield self._explain.passage(update.id, "item")
        if decision:
            for other in [o for o in chosen if o != decision.outcome][:2]:
                yield from self._against(other, standing.reading, decision)
            yield from self.standing(standing, "paragraph")
            yield from self._explain.rule(decision)

    def _table(self, block: Block, cells: tuple[str, ...], row: str | None = None) -> Sentence:
        """A line of a table: its header, or a row of the article's."""
        return Sentence("; ".join(cells), "article" if row else "connective", (row,) if row else (), block, cells)

    def question(self, standing: Standing, passages: Sequence[Passage]) -> Iterator[Sentence]:
        """The passages that answer a question, with what has changed since; without any, that it is not covered."""
        if not passages:
            yield Sentence(self._say("answer", "not_covered"), "inference", block="paragraph")
            yield Sentence(self._say("answer", "covers"), "connective")
        else:
            yield from self._explain.passages(passages, "paragraph")
        yield from self.standing(standing, "paragraph")

    def uncovered(self, tools: Sequence[str]) -> Iterator[Sentence]:
        """That the guidance says nothing of these tools."""
        names = self._say("compare", "joiner").join(tools)
        yield Sentence(self._say("answer", "tool", tools=names), "inference", block="paragraph")

    def meta(self, standing: Standing) -> Iterator[Sentence]:
        """One friendly line and an offer."""
        yield Sentence(self._say("meta", "who"), "connective", block="paragraph")
        if standing.recommended:
            yield Sentence(self._say("meta", "thanks"), "connective")
            yield from self.standing(standing, "run")
        else:
            yield Sentence(self._say("meta", "offer"), "connective")

    def language(self, language: Language) -> Iterator[Sentence]:
        """In the language of the turn, how well it is read; where it is not, the same is asked for in English too."""
        yield Sentence(language.note, "connective", block="paragraph")
        if not language.reads:
            yield from self._explain.prompt()

    def restarted(self) -> Iterator[Sentence]:
        """The project is forgotten."""
        yield Sentence(self._say("meta", "restarted"), "connective", block="paragraph")

    def aside(self, standing: Standing) -> Iterator[Sentence]:
        """One line for what is off topic; the project stays."""
        yield Sentence(self._say("off_topic", "headline"), "inference", block="paragraph")
        if standing.recommended:
            yield from self.standing(standing, "run")
        else:
            yield Sentence(self._say("off_topic", "offer"), "connective")

    def standing(self, standing: Standing, block: str) -> Iterator[Sentence]:
        """What is recommended as things stand; nothing where nothing is."""
        decision = standing.recommended
        if decision:
            text = self._say("answer", "stands", outcome=self._name(decision))
            yield Sentence(text, "inference", self._essence(decision), "paragraph" if block == "paragraph" else "run")

    def _against(self, other: str, reading: Reading, decision: Decision) -> Iterator[Sentence]:
        yield from self._explain.against(other, reading, decision, every=True)

    def _nothing_stands(self, standing: Standing) -> Iterator[Sentence]:
        yield Sentence(self._say("answer", "nothing_stands"), "inference", (TOO_LITTLE,), "paragraph")
        if standing.decision:
            yield from self._explain.question(standing.decision)

    def _rows(self, reading: Reading) -> list[str]:
        """Rows of the article's table that this project's criteria need."""
        needed = [self._knowledge.criteria[s.criterion].requirement for s in self._explain.said(reading)]
        return list(dict.fromkeys(row for row in needed if row))

    def _name(self, decision: Decision) -> str:
        return self._knowledge.outcomes[decision.outcome].headline

    def _essence(self, decision: Decision) -> tuple[str, ...]:
        return (self._knowledge.outcomes[decision.outcome].essence,)

    def _say(self, part: str, name: str, **slots: object) -> str:
        return self._knowledge.say(part, name, **slots)
