"""How fast the page shows the first words, and how heavy it is beside a bare chat on the same Gradio.

``python -m benchmarks.page`` writes ``results/page.json``. Needs Chromium.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks import readme
from benchmarks.machine import keep
from benchmarks.serving import chromium, served

ROUNDS = 10
BARE = """import os
import gradio as gr
gr.ChatInterface(lambda message, history: message, api_visibility="private").launch(
    server_name="127.0.0.1", server_port=int(os.environ["GRADIO_SERVER_PORT"]), ssr_mode=False)
"""
STORY = "Nurses book slots in ward {}, get reminders, and managers approve the swaps."
WATCH = """() => {
  window.shown = null;
  new MutationObserver(() => {
    const reply = document.querySelector('#chat .bot-row');
    if (window.shown === null && reply && reply.textContent.trim()) window.shown = performance.now();
  }).observe(document.querySelector('#chat'), {childList: true, subtree: true, characterData: true});
}"""


def weight(browser: Browser, url: str) -> tuple[int, int]:
    """Bytes over the wire and requests until the page is at rest."""
    page = browser.new_page()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(url)
    page.locator("textarea").first.wait_for(timeout=60_000)
    page.wait_for_timeout(3000)
    page.close()
    return round(sum(sizes)), len(sizes)


def first_text(browser: Browser, url: str) -> list[float]:
    """Seconds from the click on Send to the first words of the reply on the screen, once a round, in a fresh chat."""
    found = []
    for turn in range(-2, ROUNDS):
        page = browser.new_page()
        page.goto(url)
        page.locator("#box textarea").wait_for(timeout=60_000)
        page.wait_for_timeout(500)
        page.evaluate(WATCH)
        page.locator("#box textarea").fill(STORY.format(turn + 10))
        page.evaluate("() => { window.sent = performance.now(); document.querySelector('#send').click(); }")
        page.wait_for_function("window.shown !== null", timeout=60_000)
        if turn >= 0:
            found.append(float(page.evaluate("window.shown - window.sent")) / 1000)
        page.close()
    return found


def main() -> None:
    """Measure and keep."""
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE, encoding="utf-8")
        with served(str(bare)) as url:
            bare_bytes, bare_requests = weight(browser, url)
        with served() as url:
            page_bytes, page_requests = weight(browser, url)
            times = first_text(browser, url)
    keep(
        "page",
        {
            "first_text_s": {"median": round(statistics.median(times), 3), "slowest": round(max(times), 3), "of": len(times)},
            "page_kib": round(page_bytes / 1024),
            "bare_kib": round(bare_bytes / 1024),
            "weight_ratio": round(page_bytes / bare_bytes, 3),
            "requests": page_requests,
            "bare_requests": bare_requests,
        },
    )
    readme.write()


if __name__ == "__main__":
    main()
