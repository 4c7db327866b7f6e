"""The server: started as a Space starts it, on a taken port, with broken knowledge, and what it offers to other programs."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from benchmarks.serving import answers, free_port
from tests.conftest import ROOT


def test_a_taken_port_is_named_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env={**os.environ, "GRADIO_SERVER_PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 2
    assert f"Port {port} on 127.0.0.1 is taken" in done.stderr
    assert f"GRADIO_SERVER_PORT={port + 1} python app.py" in done.stderr


def test_a_broken_knowledge_file_stops_the_start(tmp_path: Path) -> None:
    copy_code(tmp_path)
    (tmp_path / "knowledge" / "rules.toml").write_text("[[rule]]\nid = 1\n")
    done = subprocess.run([sys.executable, "app.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "rules.toml: rule.0.id" in done.stderr
    assert "rule.0.outcome" in done.stderr


def copy_code(folder: Path) -> None:
    for name in ("advisor", "knowledge", "page"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "requirements.txt"):
        shutil.copy(ROOT / name, folder)


@pytest.mark.slow
def test_it_starts_as_a_space_starts_it(tmp_path: Path) -> None:
    """Only requirements.txt installed, code read-only, an empty writable home, no way out to the network."""
    code, home, env = tmp_path / "code", tmp_path / "home", tmp_path / "env"
    code.mkdir()
    home.mkdir()
    copy_code(code)
    if os.environ.get("CI"):
        subprocess.run([sys.executable, "-m", "venv", str(env)], check=True)
        python = str(env / "bin" / "python")
        install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", "requirements.txt"]
        subprocess.run(install, cwd=code, check=True, timeout=900)
    else:
        python = sys.executable
    for path in [code, *code.rglob("*")]:
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    port = free_port()
    dead = "http://127.0.0.1:9"
    variables = {
        "PATH": os.environ["PATH"], "HOME": str(home), "GRADIO_CACHE_EXAMPLES": "true", "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": str(port), "PYTHONDONTWRITEBYTECODE": "1", "no_proxy": "127.0.0.1,localhost,0.0.0.0",
        "http_proxy": dead, "https_proxy": dead, "SPACE_ID": "someone/advisor", "SYSTEM": "spaces",
    }  # fmt: skip
    process = subprocess.Popen([python, "app.py"], cwd=code, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        ready = answers(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait(timeout=20)
        for path in [code, *code.rglob("*")]:
            path.chmod(path.stat().st_mode | stat.S_IWUSR)
    assert ready, process.stderr and process.stderr.read().decode()


def test_no_function_of_the_page_is_offered_to_other_programs(page_url: str) -> None:
    with urllib.request.urlopen(f"{page_url}/gradio_api/info", timeout=20) as reply:
        assert b'"named_endpoints":{}' in reply.read()
