"""A server and a browser for measurements, pictures and tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from benchmarks.machine import ROOT


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(*command: str, port: int | None = None, **environment: str) -> Iterator[str]:
    """The address of the page that ``python app.py``, or another command, serves, on a port of its own where none is given.

    Raises ``RuntimeError`` with the server's own words where it ends or is too slow.
    """
    chosen = port or free_port()
    url = f"http://127.0.0.1:{chosen}"
    with tempfile.TemporaryFile() as told:
        server = subprocess.Popen(
            [sys.executable, *(command or ("app.py",))],
            cwd=ROOT,
            env={**os.environ, "GRADIO_SERVER_PORT": str(chosen), "GRADIO_ANALYTICS_ENABLED": "False", **environment},
            stdout=subprocess.DEVNULL,
            stderr=told,
        )
        try:
            if not answers(url, server):
                told.seek(0)
                raise RuntimeError(f"no page at {url}, exit status {server.poll()}: {told.read().decode()}")
            yield url
        finally:
            server.terminate()
            server.wait(timeout=20)


def answers(url: str, server: subprocess.Popen[bytes], seconds: float = 120) -> bool:
    """Wait until the page answers; False where the server ends before, or does not within ``seconds``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        if answers_once(url):
            return True
        time.sleep(0.2)
    return False


def answers_once(url: str) -> bool:
    """Whether the page answers now."""
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser; raises ``FileNotFoundError`` where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise FileNotFoundError("no Chromium found: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
