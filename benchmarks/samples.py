"""The share of the samples that the advisor gets right, through the JSONL door.

``python -m benchmarks.samples`` writes ``results/samples.json``. The samples are for looking at, never for training.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from benchmarks import readme
from benchmarks.machine import ROOT, keep

DATA = ROOT / "tests" / "data"
ABSTENTIONS = {"needs_information": "clarify", "out_of_scope": "off_topic"}


def share(name: str) -> dict[str, Any]:
    """How many of a file's samples get an acceptable outcome, and which do not."""
    given = [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    lines = (json.dumps({"id": s["id"], "messages": [{"role": "user", "content": s["text"]}]}) for s in given)
    done = subprocess.run(
        [sys.executable, "-m", "advisor", "--jsonl"],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    found = {row["id"]: row["outcome"] or ABSTENTIONS[row["status"]] for row in map(json.loads, done.stdout.splitlines())}
    wrong = [f"{s['id']}: {found[s['id']]}, not {' or '.join(s['accept'])}" for s in given if found[s["id"]] not in s["accept"]]
    return {"right": len(given) - len(wrong), "of": len(given), "wrong": wrong}


if __name__ == "__main__":
    keep("samples", {name: share(name) for name in ("descriptions", "real")})
    readme.write()
