"""Writes the tables of both READMEs from the result files, so that no number in them is typed by hand.

``python -m benchmarks.readme``; the benchmarks call it themselves.
"""

from __future__ import annotations

import json
from typing import Any

from benchmarks.machine import RESULTS, ROOT

README, BESIDE = ROOT / "README.md", RESULTS.parent / "README.md"
MARKS = ("<!-- measured -->", "<!-- end of measured -->")
ROWS: tuple[tuple[str, str, str, str], ...] = (
    ("quality", "acceptable_in_peoples_voices", "acceptable outcome, texts in people's own voices", "0.97"),
    ("quality", "acceptable_in_technical_registers", "acceptable outcome, technical registers", "0.85"),
    ("quality", "by_register.technical: the real world told again", "of these, real repositories and posts told again", ""),
    ("quality", "both_of_a_flip_pair", "both texts of a pair that differs in one fact", "0.85"),
    ("quality", "acceptable", "acceptable outcome, both kinds together", "5 points ahead"),
    ("readers", "test_split.bag of words.acceptable", "the same, a bag of words trained on as many texts", ""),
    ("readers", "test_split.bag of words.both_of_a_flip_pair", "both of a pair, the bag of words", "15 points behind"),
    ("quality", "misleading_framework_names", "texts with misleading framework names", ""),
    ("quality", "criteria", "criteria, F1 over all of them", "0.88"),
    ("quality", "task_queue", "task queue, F1", "0.95"),
    ("quality", "abstention", "too little said or off topic: noticed / rightly so", "0.90 / 0.90"),
    ("quality", "evidence_overlap", "quoted words overlap the true ones", "0.90"),
    ("quality", "calibration_error", "calibration error", "at most 0.05"),
    ("samples", "descriptions", "the 24 sample descriptions, through `--jsonl`", ""),
    ("samples", "real", "the 24 sample texts of the real world, through `--jsonl`", ""),
    ("conversation", "dialogues.standing_right", "standing recommendation right after a turn", "0.95"),
    ("conversation", "dialogues.act_right", "what a turn does (tells, asks, takes back …)", "0.92"),
    ("conversation", "dialogues.reply_right", "reply says what it must", "0.95"),
    ("conversation", "questions.right_passage_cited", "question: a right passage is cited", "0.95"),
    ("conversation", "questions.unanswerable_admitted", "question that is not covered: admitted", "1.00"),
    ("speed", "advice.ratio", "time of an advice, beside the encoder's alone", "at most 1.5"),
    ("speed", "long_conversation.ratio", "time of turn 50, beside turn 2", "at most 1.3"),
    ("speed", "start_and_memory.start_ratio", "start to the first page, beside its parts", "at most 1.25"),
    ("speed", "start_and_memory.peak_ratio", "peak memory, beside its parts", "at most 1.2"),
    ("page", "first_text_s.median", "seconds to the first words on the screen", "at most 0.3"),
    ("page", "weight_ratio", "weight of the page, beside a bare chat", "at most 1.15"),
)
"""Result file, number in it, what it says, goal."""
PARTS = {
    "test_split": "on the test split",
    "learning_curve": "more and more examples, on the test split",
    "ablations": "small trained variants, on the calibration split",
}
"""Parts of the table of readers, and what each shows."""


def table() -> str:
    """The table, and when and where its numbers were measured."""
    found: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(row[0] for row in ROWS):
        found[name] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    lines = ["| | measured | goal |", "|---|---|---|"]
    for name, path, told, goal in ROWS:
        value: Any = found[name]
        for step in path.split("."):
            value = value[step]
        lines.append(f"| {told} | {_told(value)} | {goal} |")
    when = "; ".join(f"`python -m benchmarks.{name}` on {result['date']}" for name, result in found.items())
    where = "; ".join(dict.fromkeys(f"{result['machine']}, Python {result['python']}" for result in found.values()))
    lines += ["", f"Measured by {when} ({where})."]
    return "\n".join(lines)


def _told(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    if "right" in value:
        return f"{value['right'] / value['of']:.2f} ({value['right']} of {value['of']})"
    if "share" in value:
        return f"{value['share']:.2f} ({value['low']:.2f} to {value['high']:.2f}, {value['of']})"
    return f"{value['f1']:.2f}" if "f1" in value else f"{value['recall']:.2f} / {value['precision']:.2f}"


def compared() -> str:
    """The table of readers: untrained, cheap and trained ones, then the small variants."""
    found = json.loads((RESULTS / "readers.json").read_text(encoding="utf-8"))
    lines = [f"Measured on {found['date']} ({found['machine']})."]
    for part, told in PARTS.items():
        lines += ["", f"| {told} | acceptable | voices | technical | both of a pair |", "|---|---|---|---|---|"]
        for name, row in found[part].items():
            shares = (row["acceptable"]["share"], row["voices"], row["technical"], row["both_of_a_flip_pair"]["share"])
            lines.append(f"| {name} | " + " | ".join(f"{share:.2f}" for share in shares) + " |")
    return "\n".join(lines)


def write() -> None:
    """Put the tables into the two READMEs."""
    for path, text in ((README, table()), (BESIDE, compared())):
        before, rest = path.read_text(encoding="utf-8").split(MARKS[0])
        after = rest.split(MARKS[1])[1]
        path.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}", encoding="utf-8")


if __name__ == "__main__":
    write()
