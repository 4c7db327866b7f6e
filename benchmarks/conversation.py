"""The conversation report: acts, standing recommendations, replies and answers on dialogues and questions of the test split.

``python -m benchmarks.conversation`` writes ``results/conversation.json``. The split is scored only to report.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from advisor import Advisor
from advisor.values import ABSTENTIONS
from benchmarks import readme
from benchmarks.machine import keep
from benchmarks.scores import share
from training.talks import Asked, Talk, questions, talks

SHOWN = 40
"""Wrong turns that are listed in the result."""


def mentions(text: str, wanted: Sequence[str | Sequence[str]], unwanted: Sequence[str]) -> bool:
    """Whether a reply holds every wanted word (or one of its alternatives) and none of the unwanted ones."""
    low = text.lower()
    there = all(any(w in low for w in ((one,) if isinstance(one, str) else one)) for one in wanted)
    return there and not any(word in low for word in unwanted)


def dialogues(advisor: Advisor, given: Sequence[Talk]) -> dict[str, Any]:
    """Shares over turns."""
    acts, stands, replies, moved = [], [], [], []
    wrong: list[str] = []
    confused: Counter[tuple[str, str]] = Counter()
    for talk in given:
        users: list[str] = []
        before = None
        for number, turn in enumerate(talk.turns, 1):
            users.append(turn.user)
            advice = advisor.advise(users)
            outcome = advice.decision.outcome if advice.decision else "clarify"
            good = outcome in turn.expect_label or (outcome in ABSTENTIONS and bool(ABSTENTIONS & set(turn.expect_label)))
            acts.append(advice.act == turn.act)
            stands.append(good)
            replies.append(mentions(advice.text, turn.must_mention, turn.must_not_mention))
            if turn.act == "what_if":
                moved.append(outcome == before)
            if advice.act != turn.act:
                confused[turn.act, advice.act] += 1
            if not (acts[-1] and good and replies[-1]) and len(wrong) < SHOWN:
                wrong.append(f"{talk.id}.{number} {turn.act}->{advice.act} {'/'.join(turn.expect_label)}->{outcome} "
                             f"{'' if replies[-1] else 'lacks ' + str(turn.must_mention)} | {turn.user}")  # fmt: skip
            before = outcome
    return {
        "act_right": share(acts),
        "standing_right": share(stands),
        "reply_right": share(replies),
        "what_if_moves_nothing": share(moved),
        "acts_confused": {f"{a} -> {b}": n for (a, b), n in confused.most_common(12)},
        "wrong": wrong,
    }


def answers(advisor: Advisor, given: Sequence[Asked]) -> dict[str, Any]:
    """Shares over questions asked with no project standing.

    What is not covered is admitted where the turn is heard as something to answer and the reply cites nothing.
    """
    heard, passage, first, admitted, content = [], [], [], [], []
    wrong: list[str] = []
    for asked in given:
        advice = advisor.advise([asked.question])
        cited = list(advice.sources)
        heard.append(advice.act == "question")
        if asked.unanswerable:
            good = advice.act in ("question", "off_topic") and not cited
            admitted.append(good)
        else:
            passage.append(bool(set(cited) & set(asked.passages)))
            first.append(bool(cited) and cited[0] in asked.passages)
            content.append(mentions(advice.text, asked.must_mention, ()))
            good = passage[-1] and content[-1]
        if not good and len(wrong) < SHOWN:
            wanted, cited_first = "/".join(asked.passages) or "not covered", "/".join(cited[:3])
            wrong.append(f"{asked.id} {advice.act} {wanted} -> {cited_first} | {asked.question}")
    return {
        "heard_as_questions": share(heard),
        "right_passage_cited": share(passage),
        "right_passage_first": share(first),
        "says_what_it_must": share(content),
        "unanswerable_admitted": share(admitted),
        "wrong": wrong,
    }


def main() -> None:
    """Score the test split, or with ``--split train`` another split, shown and not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.conversation", description=__doc__)
    parser.add_argument("--split", default="test", choices=("train", "calibration", "test"))
    given = parser.parse_args()
    advisor = Advisor.load()
    numbers = {
        "dialogues": dialogues(advisor, talks(given.split)),
        "questions": answers(advisor, questions(given.split)),
    }
    if given.split == "test":
        keep("conversation", numbers)
        readme.write()
    else:
        sys.stdout.write(json.dumps(numbers, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
