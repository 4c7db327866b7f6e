"""The JSONL door, as a process of its own and in Python."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from advisor import Advisor
from advisor.contract import answer_lines
from tests.conftest import ROOT, samples

FIELDS = {
    "id", "status", "outcome", "add_ons", "confidence", "scores", "runner_up", "criteria", "act", "question", "flips",
    "sentences", "text", "error",
}  # fmt: skip


def line(id: str, *turns: str) -> str:
    return json.dumps({"id": id, "messages": [{"role": "user", "content": turn} for turn in turns]})


def run(*lines: str) -> tuple[int, list[dict[str, Any]], str]:
    done = subprocess.run(
        [sys.executable, "-m", "advisor", "--jsonl"], input="\n".join(lines), capture_output=True, text=True, cwd=ROOT
    )
    return done.returncode, [json.loads(row) for row in done.stdout.splitlines()], done.stderr


def test_a_bad_line_costs_only_itself() -> None:
    code, rows, _ = run(
        line("a", "Nurses book slots, and managers approve the swaps."),
        "{not json",
        "",
        '{"id": "b", "messages": "hello"}',
        line("c", "x" * 20_001),
        "[1]",
        '{"id": "e", "messages": []}',
        line("d", "A read-only churn report for our data scientists"),
    )
    assert code == 1
    assert [row["id"] for row in rows] == ["a", None, "b", "c", None, "e", "d"]
    assert rows[0].keys() == rows[-1].keys() == FIELDS
    assert rows[0]["error"] is rows[-1]["error"] is None
    assert [row["error"].split(":")[0] for row in rows[1:-1]] == ["line 2", "line 4", "line 5", "line 6", "line 7"]
    assert "20001 characters" in rows[3]["error"]


def test_good_lines_end_well_and_in_order() -> None:
    given = samples("descriptions")
    code, rows, errors = run(*(line(sample["id"], sample["text"]) for sample in given))
    assert code == 0
    assert not errors
    assert [row["id"] for row in rows] == [sample["id"] for sample in given]
    for row, sample in zip(rows, given, strict=True):
        assert (row["outcome"] is None) == (row["status"] != "recommended")
        for criterion in row["criteria"]:
            for evidence in criterion["evidence"]:
                assert sample["text"][evidence["start"] : evidence["end"]] == evidence["quote"]


def test_a_lone_surrogate_passes_through(advisor: Advisor) -> None:
    ((text, good),) = answer_lines(
        advisor, ['{"id": "\\ud83d", "messages": [{"role": "user", "content": "staff \\ud83d log in"}]}']
    )
    assert good
    assert json.loads(text)["text"]


def test_bytes_that_are_not_utf_8_are_an_error_of_their_line(advisor: Advisor) -> None:
    ((text, good),) = answer_lines(advisor, [b'{"id": "\xff"}'])
    assert not good
    assert "line 1" in json.loads(text)["error"]
