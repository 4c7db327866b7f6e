"""The decision record as HTML: verdict, what was understood, scores, ratings, flips, sources, and ways to take it along.

In: an advice and the user turns behind it. Out: HTML. Buttons carry the turn that they stand for. All wording comes from the
knowledge; nothing is decided here.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable, Sequence

from advisor.contract import as_json
from advisor.corrections import Corrections
from advisor.explanation import clipped, percent
from advisor.knowledge import Knowledge
from advisor.record import confidence_word, madr, pack, state_of
from advisor.schema import Passage
from advisor.values import Advice, Decision, State

CLIPPED = 180
"""Characters of a quote that the table shows."""


class RecordView:
    """Draws the record of an advice."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._corrections = Corrections(knowledge)

    def empty(self) -> str:
        """The record where no project stands."""
        return f'<section id="verdict"><h2>{self._text("title")}</h2><p>{self._text("empty")}</p></section>'

    def draw(self, advice: Advice, turns: Sequence[str], earlier: Iterable[str] = ()) -> str:
        """The whole record. ``earlier``: ids of passages that earlier replies cite."""
        decision = advice.decision
        if decision is None:
            return self.empty() + self._sources(advice, earlier)
        parts = [
            self._verdict(decision),
            self._understood(advice),
            self._scores(decision),
            self._ratings(advice),
            self._flips(decision),
            self._sources(advice, earlier),
            self._export(advice, turns),
        ]
        return "".join(parts)

    def _verdict(self, decision: Decision) -> str:
        knowledge = self._knowledge
        name = knowledge.outcomes[decision.outcome].headline
        title = name[:1].upper() + name[1:]
        lines = []
        if decision.recommends:
            word, likely = confidence_word(knowledge, decision), percent(decision.confidence)
            runner_up = knowledge.outcomes[decision.runner_up].name if decision.runner_up else ""
            told = self._text("how_sure", sure=knowledge.say("sure", word), percent=likely)
            tie = f" {self._text('near_tie', outcome=runner_up)}" if word == "tie" else ""
            lines.append(f'<p class="sure">{told}{tie}</p>')
            rule = knowledge.rule_of(decision.outcome)
            if rule and decision.by_rule >= knowledge.number("asserted"):
                lines.append(f"<p>{html.escape(knowledge.say('headline', 'rule', reason=rule.reason))}</p>")
            else:
                lines.append(f"<p>{html.escape(knowledge.say('headline', 'whole_text'))}</p>")
        add_ons = [self._text("task_queue")] if "task_queue" in decision.add_ons else []
        lines += [f'<p class="add-on">{text}</p>' for text in add_ons]
        return f'<section id="verdict"><h2>{html.escape(title)}</h2>{"".join(lines)}</section>'

    def _understood(self, advice: Advice) -> str:
        said: list[str] = []
        unsaid: list[str] = []
        for criterion in self._knowledge.criteria.values():
            state = state_of(self._knowledge, advice, criterion.id)
            row = self._criterion(advice, criterion.id, state)
            (said if state else unsaid).append(row)
        summary = self._text("not_said", count=len(unsaid))
        rest = f'<details id="not-said"><summary>{summary}</summary><ul>{"".join(unsaid)}</ul></details>'
        nothing = "" if said else f"<p>{self._text('nothing_said')}</p>"
        return (
            f'<section id="understood"><h3>{self._text("understood")}</h3><p class="hint">{self._text("correct_hint")}</p>'
            f"{nothing}<ul>{''.join(said)}</ul>{rest}</section>"
        )

    def _criterion(self, advice: Advice, name: str, state: State | None) -> str:
        criterion = self._knowledge.criteria[name]
        signal = advice.reading.signals.get(name)
        quote = " ".join(signal.evidence[0].quote.split()) if state and signal and signal.evidence else ""
        shown = f"<q>{html.escape(clipped(quote, CLIPPED))}</q>" if quote else ""
        choices: list[tuple[str, State | None]] = [("set_true", "asserted"), ("set_false", "negated"), ("set_open", None)]
        buttons = "".join(
            self._button(word, self._corrections.turn(name, to), self._text(f"{word}_of", label=criterion.label))
            for word, to in choices
            if to != state
        )
        badge = self._text(state or "unsaid")
        return (
            f'<li class="{state or "unsaid"}" data-criterion="{name}" tabindex="-1"><span class="state">{badge}</span> '
            f'<span class="label">{html.escape(criterion.label)}</span> {shown}<span class="buttons">{buttons}</span></li>'
        )

    def _button(self, word: str, turn: str, told: str) -> str:
        return f'<button type="button" data-turn="{html.escape(turn)}" aria-label="{told}">{self._text(word)}</button>'

    def _scores(self, decision: Decision) -> str:
        rows = []
        for name, score in sorted(decision.scores.items(), key=lambda item: -item[1]):
            share = round(100 * score)
            label = html.escape(self._knowledge.outcomes[name].name)
            rows.append(
                f'<tr class="{"chosen" if name == decision.outcome else ""}"><th scope="row">{label}</th>'
                f'<td class="bar"><span style="width:{max(share, 1)}%"></span></td><td class="percent">{share} %</td></tr>'
            )
        return f'<section id="scores"><h3>{self._text("scores")}</h3><table>{"".join(rows)}</table></section>'

    def _ratings(self, advice: Advice) -> str:
        needed = [
            c.requirement
            for c in self._knowledge.criteria.values()
            if c.requirement and state_of(self._knowledge, advice, c.id) == "asserted"
        ]
        rows = [self._knowledge.ratings[row] for row in dict.fromkeys(needed)]
        title = f'<section id="ratings"><h3>{self._text("ratings")}</h3>'
        if not rows:
            return f"{title}<p>{self._text('no_ratings')}</p></section>"
        frameworks = ("streamlit", "gradio", "reflex")
        head = "".join(f'<th scope="col">{html.escape(self._knowledge.outcomes[f].name)}</th>' for f in frameworks)
        body = ""
        for row in rows:
            cells = "".join(f'<td class="fit-{(c := getattr(row, f)).fit}">{html.escape(c.words)}</td>' for f in frameworks)
            body += f'<tr><th scope="row">{html.escape(row.requirement)}</th>{cells}</tr>'
        need = html.escape(self._knowledge.say("compare", "requirement"))
        return f'{title}<table><tr><th scope="col">{need}</th>{head}</tr>{body}</table></section>'

    def _flips(self, decision: Decision) -> str:
        items = []
        for flip in decision.flips:
            turn = self._corrections.supposition(flip.changes)
            outcome = html.escape(self._knowledge.outcomes[flip.outcome].headline)
            items.append(
                f'<li><button type="button" data-turn="{html.escape(turn)}">{html.escape(turn)}</button> → {outcome}</li>'
            )
        body = f"<ul>{''.join(items)}</ul>" if items else f"<p>{self._text('no_flips')}</p>"
        return f'<section id="flips"><h3>{html.escape(self._knowledge.say("headings", "flips"))}</h3>{body}</section>'

    def _sources(self, advice: Advice, earlier: Iterable[str]) -> str:
        shown = list(advice.sources)
        passages = self._knowledge.passages
        rows = [self._passage(passages[source], str(number)) for number, source in enumerate(shown, 1)]
        others = [source for source in dict.fromkeys(earlier) if source not in shown and source in passages]
        if others:
            rows.append(f'<p class="hint">{self._text("cited_earlier")}</p>')
            rows += [self._passage(passages[source], None) for source in others]
        body = "".join(rows) or f"<p>{html.escape(self._knowledge.say('page', 'no_passages'))}</p>"
        return f'<section id="sources"><h3>{html.escape(self._knowledge.say("page", "passages"))}</h3>{body}</section>'

    def _passage(self, passage: Passage, number: str | None) -> str:
        page = self._knowledge.wording["page"]
        badge = page["article_badge"] if passage.layer == "article" else page["update_badge"]
        place = ""
        if passage.layer == "update":
            place = f"{passage.package} {passage.version}, {passage.date}. {passage.evidence} · "
        mark = f"[{number}] " if number else ""
        return (
            f'<details id="passage-{passage.id}" class="passage {passage.layer}">'
            f"<summary>{mark}{html.escape(passage.section)} "
            f'<span class="layer">{passage.id}, {html.escape(badge)}</span></summary>'
            f'<p>{html.escape(passage.text)}</p><p class="layer">{html.escape(place)}'
            f'<a href="{html.escape(passage.url)}" target="_blank" rel="noopener">{html.escape(passage.url)}</a></p>'
            f'<button type="button" data-back="{passage.id}">{self._text("back")}</button></details>'
        )

    def _export(self, advice: Advice, turns: Sequence[str]) -> str:
        markdown = madr(self._knowledge, advice, turns)
        value = as_json(advice, "decision", self._knowledge.number("asserted"))
        value["messages"] = [{"role": "user", "content": turn} for turn in turns]
        packed = pack(turns)
        if len(packed) <= self._knowledge.number("link_limit"):
            link = (
                f'<label>{self._text("link")} <input readonly data-link="{packed}" value=""></label>'
                f'<button type="button" data-copy data-copied="{self._text("copied")}">{self._text("copy")}</button>'
                '<span role="status" data-copied></span>'
            )
        else:
            link = f"<p>{self._text('link_too_long')}</p>"
        decision = json.dumps(value, ensure_ascii=False, indent=1)
        return (
            f'<section id="export"><h3>{self._text("export")}</h3><p>'
            f"{_file('decision.md', 'text/markdown', markdown, self._text('as_markdown'))} "
            f"{_file('decision.json', 'application/json', decision, self._text('as_json'))}"
            f"</p>{link}</section>"
        )

    def _text(self, name: str, **slots: object) -> str:
        return html.escape(self._knowledge.say("record", name, **slots))


def _file(name: str, kind: str, text: str, label: str) -> str:
    """A link that saves the text, made in the page itself: nothing is kept on the server."""
    data = base64.b64encode(text.encode("utf-8", "replace")).decode()
    return f'<a class="file" download="{name}" href="data:{kind};charset=utf-8;base64,{data}">{label}</a>'
