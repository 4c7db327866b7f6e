"""Pictures of the served page: empty, answered, the record, on a phone, in the dark, and the picture of the link preview.

``python -m benchmarks.screenshots``; needs Chromium.
"""

from __future__ import annotations

from playwright.sync_api import Browser, Page

from benchmarks.machine import ROOT
from benchmarks.serving import chromium, served

PICTURES = ROOT / "benchmarks" / "pictures"
PREVIEW = ROOT / "page" / "static" / "preview.png"
STORY = "Nurses book slots, get reminders, and managers approve the swaps."


def answered(page: Page) -> None:
    """Ask about the story and wait for the whole answer."""
    page.locator("#box textarea").fill(STORY)
    page.locator("#send").click()
    page.locator("#understood").wait_for(timeout=60_000)


def take(browser: Browser, url: str) -> None:
    """Write every picture into ``pictures/``, and the preview into the page's own folder."""
    views = {
        "empty": ((1280, 860), "light", False),
        "answer": ((1280, 860), "light", True),
        "dark": ((1280, 860), "dark", True),
        "phone": ((390, 844), "light", True),
        "phone-empty": ((390, 844), "light", False),
        "phone-dark": ((390, 844), "dark", True),
    }
    for name, ((width, height), scheme, ask) in views.items():
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(f"{url}/?__theme={scheme}")
        page.locator("#box textarea").wait_for(timeout=60_000)
        if ask:
            answered(page)
        page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")
        if name == "answer":
            page.locator("#record").evaluate("node => { node.style.maxHeight = 'none'; node.style.position = 'static'; }")
            page.locator("#record").screenshot(path=PICTURES / "record.png", animations="disabled")
        page.close()
    page = browser.new_page(viewport={"width": 1200, "height": 630})
    page.goto(url)
    page.locator("#box textarea").wait_for(timeout=60_000)
    answered(page)
    page.screenshot(path=PREVIEW, animations="disabled")


def main() -> None:
    """Serve the page on a free port, take the pictures, stop the server."""
    PICTURES.mkdir(exist_ok=True)
    with served() as url, chromium() as browser:
        take(browser, url)


if __name__ == "__main__":
    main()
