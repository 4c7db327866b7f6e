"""The served page: started as a Space starts it, a taken port, several people, and a real browser."""

from __future__ import annotations

import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.conftest import ROOT, free_port, wait_until_served

STORY = "Nurses book slots, get reminders, and managers approve the swaps."


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
    for name in ("advisor", "knowledge"):
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
        wait_until_served(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait(timeout=20)
        for path in [code, *code.rglob("*")]:
            path.chmod(path.stat().st_mode | stat.S_IWUSR)


def test_no_function_of_the_page_is_offered_to_other_programs(page_url: str) -> None:
    with urllib.request.urlopen(f"{page_url}/gradio_api/info", timeout=20) as reply:
        assert b'"named_endpoints":{}' in reply.read()


@pytest.fixture
def page(page_url: str) -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium found: apt install chromium")
        pytest.skip("no Chromium found: apt install chromium, then run the browser tests again")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        shown = browser.new_page()
        wrong: list[str] = []
        shown.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        shown.on("request", lambda request: None if page_url in request.url else wrong.append(f"request: {request.url}"))
        shown.goto(page_url)
        expect(shown.locator("#box textarea")).to_be_visible(timeout=30_000)
        yield shown
        browser.close()
    assert not [text for text in wrong if not text.startswith(("request: data:", "request: blob:"))]


def ask(page: Page, text: str) -> None:
    page.locator("#box textarea").fill(text)
    page.locator("#send").click()


@pytest.mark.browser
def test_a_description_is_answered_in_steps_and_its_passages_open(page: Page) -> None:
    page.evaluate("""() => {
      window.lengths = [];
      new MutationObserver(() => {
        const last = [...document.querySelectorAll('#chat .bot')].pop();
        if (last) window.lengths.push(last.textContent.length);
      }).observe(document.querySelector('#chat'), {childList: true, subtree: true, characterData: true});
    }""")
    ask(page, STORY)
    reply = page.locator("#chat .bot").last
    expect(reply).to_contain_text("Sources", timeout=30_000)
    expect(reply).to_contain_text("Reflex")
    lengths = page.evaluate("window.lengths")
    assert len(set(lengths)) >= 3
    assert lengths == sorted(lengths)
    passage = page.locator("#passage-1")
    expect(passage.locator("p").first).not_to_be_visible()
    passage.locator("summary").click()
    expect(passage.locator("p").first).to_be_visible()
    expect(passage.locator("a")).to_have_attribute("href", re.compile("^https://"))


@pytest.mark.browser
def test_retry_answers_anew_and_undo_gives_the_words_back(page: Page) -> None:
    ask(page, STORY)
    reply = page.locator("#chat .bot").last
    expect(reply).to_contain_text("Sources", timeout=30_000)
    expect(page.locator("#passage-1")).to_be_visible(timeout=30_000)
    first = str(reply.text_content())
    page.get_by_role("button", name="Retry").last.click()
    expect(reply).to_contain_text("Sources", timeout=30_000)
    expect(page.locator("#chat .user .message")).to_have_count(1)
    expect(reply).to_have_text(first, timeout=30_000)
    page.get_by_role("button", name="Undo").last.click()
    expect(page.locator("#box textarea")).to_have_value(STORY)
    expect(page.locator("#chat .bot")).to_have_count(0)


@pytest.mark.browser
def test_stop_keeps_what_was_written_and_the_page_goes_on(page: Page) -> None:
    ask(page, STORY)
    expect(page.locator("#chat .bot").last).to_contain_text(re.compile("Reflex|fits"), timeout=30_000)
    page.locator("#stop").click()
    expect(page.locator("#chat .bot").last).to_contain_text(re.compile("Reflex|fits"))
    ask(page, "Actually other programs call it and nobody sees a screen.")
    expect(page.locator("#chat .bot").last).to_contain_text("Sources", timeout=30_000)


@pytest.mark.browser
def test_a_text_that_is_too_long_stays_in_the_box(page: Page) -> None:
    ask(page, "a" * 20_001)
    expect(page.get_by_text("20001 characters")).to_be_visible(timeout=30_000)
    length = page.evaluate("document.querySelector('#box textarea').value.length")
    assert length == 20_001
    expect(page.locator("#chat .bot")).to_have_count(0)


@pytest.mark.browser
def test_an_example_fills_the_box_and_sends_nothing(page: Page) -> None:
    page.get_by_role("button", name="Shift swaps").click()
    expect(page.locator("#box textarea")).to_have_value(STORY)
    expect(page.locator("#chat .user")).to_have_count(0)
