"""The machine-readable form of an advice, and the JSONL door.

In: lines with conversations. Out: one JSON line each, in order. A bad line is an error of that line alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

from advisor.errors import InputError
from advisor.pipeline import Advisor
from advisor.values import Advice, Signal


def as_json(advice: Advice, id: object = None, threshold: float = 0.5) -> dict[str, Any]:
    """The contract's value. Criteria below ``threshold`` are left out."""
    decision = advice.decision
    return {
        "id": id,
        "status": advice.status,
        "outcome": decision.outcome if decision and decision.recommends else None,
        "add_ons": list(decision.add_ons) if decision else [],
        "confidence": round(decision.confidence, 4) if decision else 0.0,
        "scores": dict(decision.scores) if decision else {"clarify": 1.0},
        "runner_up": decision.runner_up if decision else None,
        "criteria": [_criterion(s) for s in advice.reading.signals.values() if s.probability >= threshold],
        "act": advice.act,
        "question": {"id": q.id, "text": q.text, "options": list(q.options)} if (q := advice.question) else None,
        "flips": [{"criteria": dict(f.changes), "outcome": f.outcome} for f in decision.flips] if decision else [],
        "sentences": [{"text": s.text, "kind": s.kind, "sources": list(s.sources)} for s in advice.sentences],
        "text": advice.text,
        "error": None,
    }


def _criterion(signal: Signal) -> dict[str, Any]:
    return {
        "id": signal.criterion,
        "state": signal.state,
        "probability": round(signal.probability, 4),
        "evidence": [{"turn": e.turn, "start": e.start, "end": e.end, "quote": e.quote} for e in signal.evidence],
    }


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def answer_lines(advisor: Advisor, lines: Iterable[str | bytes]) -> Iterator[tuple[str, bool]]:
    """For every line that is not blank, its answer as a JSON text without newline, and whether it could be answered."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        id: object = None
        try:
            data = json.loads(line, parse_constant=_no_constant)
            if not isinstance(data, dict):
                raise InputError(f"expected an object with id and messages, found {type(data).__name__}")
            id = data.get("id")
            if not (id is None or isinstance(id, str | int | float)) or (isinstance(id, float) and not math.isfinite(id)):
                id = None
                raise InputError("id must be a finite number, a string or null")
            messages = data.get("messages")
            if not isinstance(messages, list):
                raise InputError("messages must be a list of messages, the last one the user's")
            answer, good = as_json(advisor.advise(messages), id, advisor.knowledge.number("asserted")), True
        except (InputError, ValueError, RecursionError) as error:
            reason = str(error) if isinstance(error, InputError) else f"not readable as JSON: {error}"
            answer, good = {"id": id, "error": f"line {number}: {reason}"}, False
        yield json.dumps(answer, ensure_ascii=True, allow_nan=False), good
