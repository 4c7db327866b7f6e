"""Shared parts: the real advisor, loaded once, the samples, a served page."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from advisor import Advisor

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "tests" / "data"

Sample = dict[str, Any]


def samples(name: str) -> list[Sample]:
    """The records of one file of samples; they are for checking only and are never trained on."""
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def conversations() -> list[list[str]]:
    """Every sample as user turns: descriptions, real texts, hostile inputs, questions, dialogues grown turn by turn."""
    single = [[s["text"]] for name in ("descriptions", "real", "hostile") for s in samples(name)]
    asked = [[s["question"]] for s in samples("questions")]
    talks = [[t["user"] for t in s["turns"]] for s in samples("dialogues")]
    grown = [talk[: end + 1] for talk in talks for end in range(len(talk))]
    return [*single, *asked, *grown]


@pytest.fixture(scope="session")
def advisor(tmp_path_factory: pytest.TempPathFactory) -> Advisor:
    os.environ.setdefault("ADVISOR_CACHE", str(tmp_path_factory.mktemp("cache")))
    return Advisor.load()


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_served(url: str, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    """Return when the page answers; fail with the server's own words where it ends or is too slow."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"the server ended with {process.returncode}: {process.stderr and process.stderr.read().decode()}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    process.kill()
    pytest.fail(f"no page at {url} after {seconds} s: {process.stderr and process.stderr.read().decode()}")


@contextmanager
def served(*command: str, port: int | None = None, **environment: str) -> Iterator[str]:
    """The address of the page that ``python app.py``, or another command, serves, on a port of its own where none is given."""
    chosen = port or free_port()
    process = subprocess.Popen(
        [sys.executable, *(command or ("app.py",))],
        cwd=ROOT,
        env={**os.environ, "GRADIO_SERVER_PORT": str(chosen), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    url = f"http://127.0.0.1:{chosen}"
    try:
        wait_until_served(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def page_url() -> Iterator[str]:
    """The page as `python app.py` serves it."""
    with served() as url:
        yield url
