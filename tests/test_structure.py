"""The shape of the code: who may import whom, what is public, what the README promises."""

from __future__ import annotations

import ast
import json
import re
import tomllib

import advisor as package
from advisor.encoder import file_sha256
from benchmarks import readme
from tests.conftest import ROOT

VALUES = {"values", "errors"}
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


def test_all_that_is_announced_exists() -> None:
    assert all(hasattr(package, name) for name in package.__all__)


def test_no_module_prints() -> None:
    for path in (ROOT / "advisor").glob("*.py"):
        calls = [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
        assert not any(isinstance(call.func, ast.Name) and call.func.id == "print" for call in calls), path.name


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


def test_the_readme_quotes_the_results_and_the_quality_report_is_of_these_weights() -> None:
    numbers = json.loads((ROOT / "benchmarks" / "results" / "quality.json").read_text(encoding="utf-8"))
    quoted = readme.README.read_text(encoding="utf-8").split(readme.MARKS[0])[1].split(readme.MARKS[1])[0].strip()
    assert quoted == readme.table(), "python -m benchmarks.readme"
    assert numbers["weights_sha256"] == file_sha256(ROOT / "knowledge" / "reader" / "manifest.json"), (
        "python -m benchmarks.quality"
    )
