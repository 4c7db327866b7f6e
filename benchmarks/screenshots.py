"""Pictures of the served page: empty, answered, on a phone, in the dark. `python -m benchmarks.screenshots`; needs Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.machine import ROOT

PICTURES = ROOT / "benchmarks" / "pictures"
STORY = "Nurses book slots, get reminders, and managers approve the swaps."


def answered(page: Page) -> None:
    """Ask about the story and wait for the whole answer."""
    page.locator("#box textarea").fill(STORY)
    page.locator("#send").click()
    page.locator("#passage-1").wait_for(timeout=60_000)


def take(browser: Browser, url: str) -> None:
    """Write every picture into ``pictures/``."""
    views = {
        "empty": ((1280, 860), "light", False),
        "answer": ((1280, 860), "light", True),
        "dark": ((1280, 860), "dark", True),
        "phone": ((390, 844), "light", True),
        "phone-empty": ((390, 844), "light", False),
    }
    for name, ((width, height), scheme, ask) in views.items():
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(f"{url}/?__theme={scheme}")
        page.locator("#box textarea").wait_for(timeout=60_000)
        if ask:
            answered(page)
        page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")
        page.close()


def main() -> None:
    """Serve the page on a free port, take the pictures, stop the server."""
    PICTURES.mkdir(exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env={**os.environ, "GRADIO_SERVER_PORT": str(port)})
    try:
        while server.poll() is None:
            try:
                urllib.request.urlopen(url, timeout=5)
                break
            except OSError:
                time.sleep(0.2)
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            take(browser, url)
            browser.close()
    finally:
        server.terminate()
        server.wait(timeout=20)


if __name__ == "__main__":
    main()
