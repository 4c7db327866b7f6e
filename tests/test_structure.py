"""The shape of the code: who may import whom, what is public, what the README promises."""

from __future__ import annotations

import ast
import json
import re
import tomllib

import pytest

from benchmarks import readme
from benchmarks.machine import RESULTS, weights_sha256
from tests.conftest import ROOT

IMPORTS: dict[str, set[str]] = {
    "values": set(),
    "errors": set(),
    "schema": {"values"},
    "knowledge": {"schema", "errors", "values"},
    "letters": set(),
    "encoder": {"errors", "letters"},
    "clauses": {"values"},
    "corrections": {"knowledge", "values"},
    "language": {"errors", "knowledge", "letters", "schema"},
    "heads": {"values"},
    "signals": {"clauses", "encoder", "knowledge", "values"},
    "trained": {"encoder", "errors", "heads", "knowledge", "values", "words"},
    "words": {"encoder", "errors"},
    "acts": {"encoder", "errors", "knowledge", "values"},
    "standing": {"values"},
    "options": {"knowledge", "schema", "values"},
    "dialogue": {"acts", "clauses", "corrections", "errors", "knowledge", "options", "standing", "values"},
    "decision": {"knowledge", "schema", "values"},
    "retrieval": {"encoder", "errors", "heads", "knowledge", "schema", "words"},
    "explanation": {"knowledge", "schema", "values"},
    "answers": {"explanation", "knowledge", "schema", "values"},
    "stream": {"schema", "values"},
    "record": {"explanation", "knowledge", "stream", "values"},
    "pipeline": {
        "acts", "answers", "decision", "dialogue", "encoder", "errors", "explanation", "knowledge", "language", "retrieval",
        "signals", "stream", "trained", "values",
    },
    "contract": {"errors", "pipeline", "values"},
    "__init__": {"errors", "pipeline", "values"},
    "__main__": {"contract", "errors", "pipeline"},
}  # fmt: skip
"""Stages meet in the values; only the pipeline, and the dialogue within one turn, know an order."""


def test_every_module_imports_just_what_the_table_says() -> None:
    found = {}
    for path in (ROOT / "advisor").glob("*.py"):
        names = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "advisor":
                whole = node.module == "advisor"
                names |= {alias.name for alias in node.names} if whole else {str(node.module).split(".")[1]}
        found[path.stem] = names
    assert found == IMPORTS


def test_the_space_runs_the_pinned_gradio() -> None:
    front = (ROOT / "README.md").read_text(encoding="utf-8").split("---")[1]
    version = re.search(r"^sdk_version: (\S+)$", front, re.MULTILINE)
    pin = re.search(r"^gradio==(\S+)$", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert version
    assert pin
    assert version[1] == pin[1]
    assert 'python_version: "3.11"' in front
    for key in ("title", "sdk", "app_file", "short_description", "tags"):
        assert re.search(rf"^{key}:", front, re.MULTILINE), key


def test_the_short_description_is_short_enough_for_a_space_and_the_same_on_the_page() -> None:
    wording = tomllib.loads((ROOT / "knowledge" / "wording.toml").read_text(encoding="utf-8"))
    short = wording["page"]["short_description"]
    assert len(short) <= 60
    assert f'short_description: "{short}"' in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_requirement_is_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            assert line.startswith(("#", "-r ")) or re.fullmatch(r"[\w.-]+==[\w.]+", line), line


def test_the_readmes_quote_the_results() -> None:
    for path, table in ((readme.README, readme.table()), (readme.BESIDE, readme.compared())):
        quoted = path.read_text(encoding="utf-8").split(readme.MARKS[0])[1].split(readme.MARKS[1])[0].strip()
        assert quoted == table, f"{path}: python -m benchmarks.readme"


@pytest.mark.parametrize("name", ["quality", "conversation", "samples", "readers"])
def test_the_results_are_of_the_weights_that_ship(name: str) -> None:
    numbers = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    assert numbers["weights_sha256"] == weights_sha256(), f"python -m benchmarks.{name}"
