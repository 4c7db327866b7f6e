"""The decision as a record that one can take along: Markdown in the form of MADR, JSON, and the conversation in a link.

In: an advice and the user turns behind it. Out: text. All wording comes from the knowledge.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Sequence

from advisor.explanation import percent
from advisor.knowledge import Knowledge
from advisor.stream import source_line
from advisor.values import Advice, Decision, State

MOST_TURNS = 200
"""Turns in a link; a conversation that somebody held is shorter."""
LONGEST_LINK = 200_000
"""Bytes that a link may unpack to; a longer one is no link of ours."""


def confidence_word(knowledge: Knowledge, decision: Decision) -> str:
    """How sure the decision is, in words: a name of ``wording.toml``, [sure]."""
    if is_near_tie(knowledge, decision):
        return "tie"
    if decision.confidence >= knowledge.number("sure"):
        return "sure"
    return "fairly" if decision.confidence >= knowledge.number("fairly_sure") else "lean"


def is_near_tie(knowledge: Knowledge, decision: Decision) -> bool:
    """Whether the runner-up is so close that the verdict is called a near tie."""
    if decision.runner_up is None or not decision.recommends:
        return False
    return decision.scores[decision.outcome] - decision.scores[decision.runner_up] < knowledge.number("near_tie")


def state_of(knowledge: Knowledge, advice: Advice, criterion: str) -> State | None:
    """What was understood of a criterion; None where it was not said."""
    signal = advice.reading.signals.get(criterion)
    return signal.state if signal and signal.probability >= knowledge.number("asserted") else None


def madr(knowledge: Knowledge, advice: Advice, turns: Sequence[str]) -> str:
    """The decision as a Markdown Architectural Decision Record."""
    decision, say = advice.decision, knowledge.say
    assert decision is not None
    outcome = knowledge.outcomes[decision.outcome]
    title = say("madr", "title", outcome=outcome.headline) if decision.recommends else say("madr", "undecided")
    numbers = {source: n for n, source in enumerate(advice.sources, 1)}
    lines = [f"# {title}", "", f"## {say('madr', 'context')}", ""]
    lines += [f"> {line}" if line else ">" for turn in turns for line in [*turn.splitlines(), ""]][:-1]
    lines += ["", f"## {say('madr', 'drivers')}", ""]
    for criterion in knowledge.criteria.values():
        state = state_of(knowledge, advice, criterion.id)
        if state:
            quotes = [evidence.quote for evidence in advice.reading.signals[criterion.id].evidence[:1]]
            shown = f": “{' '.join(quotes[0].split())}”" if quotes else ""
            lines.append(f"* {say('record', state)}: {criterion.label}{shown}")
    lines += ["", f"## {say('madr', 'options')}", ""]
    offered = [o for o in knowledge.outcomes.values() if o.family != "abstention"]
    lines += [f"* {o.name}" for o in offered]
    lines += ["", f"## {say('madr', 'outcome')}", ""]
    if decision.recommends:
        sure, likely = say("sure", confidence_word(knowledge, decision)), percent(decision.confidence)
        lines += [say("madr", "chosen", outcome=outcome.name, sure=sure, percent=likely), ""]
    lines += [f"* {_cited(s.text, s.sources, numbers)}" for s in advice.sentences if s.block != "heading" and not s.cells]
    lines += ["", f"## {say('madr', 'scores')}", ""]
    ranked = sorted(decision.scores.items(), key=lambda item: -item[1])
    lines += [f"* {knowledge.outcomes[name].name}: {round(100 * score)} %" for name, score in ranked]
    lines += ["", f"## {say('headings', 'sources')}", ""]
    lines += [source_line(number, knowledge.passages[source]).strip() for source, number in numbers.items()]
    return "\n".join(lines) + "\n"


def _cited(text: str, sources: Sequence[str], numbers: dict[str, int]) -> str:
    return text + "".join(f" [{numbers[source]}]" for source in sources)


def pack(turns: Sequence[str]) -> str:
    """The user turns as the value of a link's query: compressed, in letters that need no escaping."""
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(list(turns)).encode(), 9)).decode().rstrip("=")


def unpack(text: str) -> tuple[str, ...]:
    """The user turns of a link; empty where the text is none of ``pack``."""
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        stream = zlib.decompressobj()
        found = json.loads(stream.decompress(packed, LONGEST_LINK))
        turns = tuple(str(turn) for turn in found if isinstance(turn, str) and turn.encode("utf-8") is not None)
    except (binascii.Error, zlib.error, ValueError, RecursionError, TypeError):
        return ()
    return turns if stream.eof and isinstance(found, list) and len(turns) == len(found) <= MOST_TURNS else ()
