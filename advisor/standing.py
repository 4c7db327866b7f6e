"""The standing project as a fold over the turns: what a later turn says about a criterion wins.

In: the project so far, a turn and what it says by itself. Out: the statements that still hold and the last words on the
criteria. Pure work on values: reads no text and decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from advisor.values import ABSTENTIONS, FLOOR, Blend, Clause, Reading, Signal, Statement


def said(reading: Reading, threshold: float) -> tuple[Signal, ...]:
    """The signals that a text really gives, surest first."""
    found = [signal for signal in reading.signals.values() if signal.probability >= threshold]
    return tuple(sorted(found, key=lambda signal: -signal.probability))


def contradicted(earlier: Reading, now: Iterable[Signal], threshold: float) -> tuple[Signal, ...]:
    """What an earlier statement asserts and this turn does not let stand."""
    gone = {signal.criterion for signal in now if signal.state != "asserted"}
    return tuple(s for s in earlier.signals.values() if s.criterion in gone and s.asserted >= threshold and s.evidence)


def drop(statement: Statement, signals: Sequence[Signal], clauses: Sequence[Clause]) -> Statement:
    """The statement without the clauses that hold the evidence of these signals."""
    dropped = set(statement.dropped)
    for evidence in (e for signal in signals for e in signal.evidence):
        dropped |= {(c.start, c.end) for c in clauses if c.start < evidence.end and c.end > evidence.start}
    return Statement(statement.turn, statement.text, tuple(sorted(dropped)))


def fold(joint: Reading, latest: Mapping[str, Signal], opinion: Mapping[str, float]) -> Reading:
    """The reading of all statements together, with the last word of a later turn in place of what they say together."""
    return Reading({**joint.signals, **latest}, opinion)


def set_by_hand(reading: Reading, by_hand: Mapping[str, Signal]) -> Reading:
    """The reading with these signals in place of what was read; what was read is kept in ``unset``."""
    read = {**reading.signals, **reading.unset}
    nothing = {name: Signal(name, "asserted", 0.0, ()) for name in by_hand}
    return Reading({**read, **by_hand}, reading.opinion, {name: read.get(name, nothing[name]) for name in by_hand})


def parts(
    joint: Mapping[str, float], alone: Mapping[str, float], before: Mapping[str, float]
) -> tuple[tuple[str, ...], list[list[float]]]:
    """The outcomes, and the logarithms of the three distributions that a blend weighs, outcome by outcome.

    A turn alone often says too little: what it leaves open is shared out as all statements together have it.
    """
    left = sum(alone[o] for o in ABSTENTIONS)
    rows = []
    for outcome in joint:
        own = left * joint[outcome] + (0.0 if outcome in ABSTENTIONS else alone[outcome])
        rows.append([math.log(max(p, FLOOR)) for p in (joint[outcome], own, before.get(outcome, FLOOR))])
    return tuple(joint), rows


def blend(
    weights: Blend, joint: Mapping[str, float], alone: Mapping[str, float], before: Mapping[str, float]
) -> dict[str, float]:
    """The opinion after a turn, adding up to 1; empty where the reader has none."""
    if not joint or not alone:
        return dict(joint)
    outcomes, rows = parts(joint, alone, before)
    logs = [weights.joint * j + weights.alone * a + weights.before * b for j, a, b in rows]
    shares = [math.exp(value - max(logs)) for value in logs]
    return {outcome: share / sum(shares) for outcome, share in zip(outcomes, shares, strict=True)}
