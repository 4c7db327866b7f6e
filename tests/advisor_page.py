"""The page as a person uses it: one object with the things one can do and see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, Page, expect

PATIENCE = 30_000
"""Milliseconds that a busy machine may take for one answer."""


class AdvisorPage:
    """A browser tab with the advisor in it."""

    def __init__(self, tab: Page, url: str) -> None:
        self.tab, self.url = tab, url
        self.box = tab.locator("#box textarea")
        self.replies = tab.locator("#chat .bot-row")
        self.turns = tab.locator("#chat .user-row")
        self.record = tab.locator("#record [data-drawn]")
        self.verdict = tab.locator("#verdict")
        self.understood = tab.locator("#understood")
        self.sources = tab.locator("#sources")

    def open(self, path: str = "") -> None:
        """Go to the page and wait until it can be used."""
        self.tab.goto(self.url + path)
        expect(self.box).to_be_visible(timeout=PATIENCE)

    @contextmanager
    def redrawn(self) -> Iterator[None]:
        """What is done inside must have the record drawn anew, which ends every answer; waits for it."""
        before = str(self.record.get_attribute("data-drawn"))
        yield
        expect(self.record).not_to_have_attribute("data-drawn", before, timeout=PATIENCE)

    def ask(self, text: str) -> None:
        """Type a turn and send it, without waiting."""
        self.box.fill(text)
        self.tab.locator("#send").click()

    def describe(self, text: str) -> str:
        """Send a turn, wait for the whole reply and the record, and return the verdict."""
        with self.redrawn():
            self.ask(text)
        return str(self.verdict.text_content())

    @property
    def reply(self) -> Locator:
        """The last reply."""
        return self.replies.last

    def chip(self, label: str) -> None:
        """Take a short answer below the last reply."""
        with self.redrawn():
            self.tab.locator("#chat").get_by_role("button", name=label, exact=True).click()

    def correct(self, criterion: str, button: str) -> str:
        """Click a correction in the record; the verdict after it."""
        row = self.understood.locator(f'li[data-criterion="{criterion}"]')
        if not row.is_visible():
            self.understood.locator("summary").click()
        with self.redrawn():
            row.get_by_role("button", name=button).click()
        return str(self.verdict.text_content())

    def suppose(self, place: int = 0) -> None:
        """Click one of the changes that would change the answer."""
        with self.redrawn():
            self.tab.locator("#flips button").nth(place).click()

    def retry(self) -> None:
        """Have the last turn answered anew."""
        with self.redrawn():
            self.tab.get_by_role("button", name="Retry").last.click()

    def undo(self) -> None:
        """Take the last turn back."""
        with self.redrawn():
            self.tab.get_by_role("button", name="Undo").last.click()
