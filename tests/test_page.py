"""The decision record and the chat's manners, in a real browser."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Request, expect

from advisor import Advisor
from advisor.record import pack
from benchmarks.serving import chromium, free_port, served
from tests.advisor_page import PATIENCE, AdvisorPage

STORY = "Nurses book slots, get reminders, and managers approve the swaps."
REPORT = "A read-only churn report for our five data scientists: pick a segment and a month, look at the curves."
VAGUE = "I want to build some kind of app for my business."

Open = Callable[..., AdvisorPage]
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as started:
            yield started
    except FileNotFoundError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(f"{error}, then run the browser tests again")


@pytest.fixture(scope="module")
def slow_url() -> Iterator[str]:
    """The page with an advisor that takes its time."""
    with served("-m", "tests.slow_app") as url:
        yield url


@pytest.fixture
def open_page(browser: Browser, page_url: str) -> Iterator[Open]:
    """Opens the page in a browser of its own, and afterwards fails on any console error or request to elsewhere."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def opened(path: str = "", url: str = page_url, context: BrowserContext | None = None, **options: object) -> AdvisorPage:
        if context is None:
            context = browser.new_context(**options)  # type: ignore[arg-type]
            contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        own = (url, "data:", "blob:")
        tab.on("requestfinished", lambda request: None if request.url.startswith(own) else wrong.append(request.url))
        tab.on("requestfailed", lambda request: _fails(request, own, wrong))
        page = AdvisorPage(tab, url)
        page.open(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not [text for text in wrong if "ERR_CONNECTION_REFUSED" not in text and "Content Security Policy" not in text]


def _fails(request: Request, own: tuple[str, ...], wrong: list[str]) -> None:
    """A request to elsewhere is wrong even if it fails, unless the page's own policy has stopped it."""
    if not request.url.startswith(own) and "csp" not in str(request.failure).lower():
        wrong.append(f"{request.url}: {request.failure}")


def test_the_empty_page_explains_itself(open_page: Open) -> None:
    page = open_page()
    expect(page.tab.locator("#chat")).to_contain_text("Four ways to begin")
    expect(page.tab.get_by_role("heading", level=1)).to_have_text("What should I build this with?")
    expect(page.verdict).to_contain_text("The decision")


def test_the_record_shows_verdict_words_scores_flips_and_sources(open_page: Open) -> None:
    page = open_page()
    assert "Reflex" in page.describe(STORY)
    expect(page.understood.locator("li.asserted").first).to_contain_text("book slots")
    expect(page.tab.locator("#scores tr")).to_have_count(8)
    expect(page.tab.locator("#ratings")).to_contain_text("native, through its ORM integration")
    expect(page.tab.locator("#flips button")).to_have_count(3)
    expect(page.sources.locator("details.article").first).to_be_visible()
    expect(page.sources.locator("details.update").first).to_contain_text("since the article")
    expect(page.tab.get_by_role("button", name="Dislike")).to_have_count(0)


def test_a_citation_leads_to_its_passage_and_back(open_page: Open) -> None:
    page = open_page()
    page.describe(STORY)
    cited = page.tab.locator("#chat a[href*='#passage-G28']").first
    cited.click()
    passage = page.tab.locator("#passage-G28")
    expect(passage).to_have_attribute("open", "")
    expect(passage).to_be_in_viewport()
    expect(passage.locator("summary")).to_be_focused()
    passage.get_by_role("button", name="Back to where it is cited").click()
    expect(page.tab.locator("#chat a[href*='#passage-G28']").last).to_be_focused()
    assert page.tab.url.rstrip("/") == page.url


def test_a_corrected_criterion_changes_the_verdict_and_undo_brings_it_back(open_page: Open) -> None:
    page = open_page()
    first = page.describe(REPORT)
    assert "Streamlit" in first
    assert "BI tool" in page.correct("none_bi", "Yes, it holds")
    expect(page.understood.locator("li[data-criterion=none_bi]")).to_be_focused()
    expect(page.turns.last).to_contain_text("Correction: it does hold that")
    page.undo()
    assert page.verdict.text_content() == first
    expect(page.turns).to_have_count(1)


def test_a_what_if_from_the_record_leaves_the_verdict_alone(open_page: Open) -> None:
    page = open_page()
    page.describe(STORY)
    before = page.verdict.inner_html()
    page.suppose()
    expect(page.reply).to_contain_text("Supposing that", timeout=PATIENCE)
    expect(page.reply).to_contain_text("the recommendation stands: Reflex", timeout=PATIENCE)
    assert page.verdict.inner_html() == before


def test_the_text_never_shrinks_while_it_streams(open_page: Open) -> None:
    page = open_page()
    page.tab.evaluate("""() => {
      window.lengths = [];
      const look = () => {
        const last = [...document.querySelectorAll('#chat .bot-row')].pop();
        if (last) window.lengths.push(last.textContent.length);
      };
      const all = {childList: true, subtree: true, characterData: true};
      new MutationObserver(look).observe(document.querySelector('#chat'), all);
    }""")
    page.describe(STORY)
    lengths = page.tab.evaluate("window.lengths")
    assert len(set(lengths)) >= 3
    assert lengths == sorted(lengths)
    assert lengths[0] > 0


def test_the_link_restores_the_same_record_in_a_fresh_browser(open_page: Open) -> None:
    page = open_page()
    page.describe(STORY)
    page.correct("req_sso", "Yes, it holds")
    expect(page.understood.locator("li[data-criterion=req_sso]")).to_have_class("asserted")
    link = page.tab.locator("[data-link]").input_value()
    assert link.startswith(page.url)
    other = open_page(link.removeprefix(page.url))
    expect(other.turns).to_have_count(2, timeout=PATIENCE)
    expect(other.tab.locator("#export")).to_be_visible(timeout=PATIENCE)
    for part in ("#verdict", "#understood", "#scores", "#ratings", "#flips", "#sources"):
        assert other.tab.locator(part).text_content() == page.tab.locator(part).text_content()


def test_a_conversation_too_long_for_a_link_says_so_and_offers_the_file(open_page: Open) -> None:
    page = open_page()
    words = hashlib.shake_256(b"words").hexdigest(8000)
    page.describe(f"{STORY} {words}")
    expect(page.tab.locator("#export")).to_contain_text("too long for a link")
    expect(page.tab.locator("#export").get_by_role("link", name="JSON")).to_be_visible()


def test_large_text_and_reduced_motion_work(open_page: Open) -> None:
    page = open_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page.tab.add_style_tag(content="html { font-size: 32px !important }")
    page.describe(STORY)
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= 1280
    page.tab.locator("#chat a[href*='#passage-G28']").first.click()
    expect(page.tab.locator("#passage-G28")).to_be_in_viewport()


def test_stop_keeps_what_was_written_also_after_a_click_in_the_record(open_page: Open, slow_url: str) -> None:
    page = open_page(url=slow_url)
    stop = page.tab.locator("#stop")
    expect(stop).to_be_disabled()
    with page.redrawn():
        page.ask(STORY)
        expect(page.reply).to_contain_text("Reflex", timeout=PATIENCE)
        stop.click()
    expect(page.verdict).to_contain_text("Reflex")
    with page.redrawn():
        page.tab.locator("#flips button").first.click()
        expect(page.replies).to_have_count(2, timeout=PATIENCE)
        stop.click()
    expect(stop).to_be_disabled()
    written = [str(reply.text_content()) for reply in page.replies.all()]
    assert "Reflex fits" in written[0]
    assert "Supposing that" in written[1]
    assert not [text for text in written if "Sources" in text]
    page.tab.wait_for_timeout(1000)
    assert [reply.text_content() for reply in page.replies.all()] == written
    assert "Django" in page.describe("Actually it is a public recipe site that strangers must find through Google.")


def test_a_second_turn_sent_while_a_reply_runs_is_answered_and_none_is_lost(open_page: Open, slow_url: str) -> None:
    page = open_page(url=slow_url)
    page.ask(STORY)
    expect(page.reply).to_contain_text("Reflex", timeout=PATIENCE)
    page.ask("why not Gradio?")
    expect(page.record).to_have_attribute("data-turns", "2", timeout=PATIENCE)
    page.tab.wait_for_timeout(1000)
    expect(page.turns).to_have_count(2)
    expect(page.replies).to_have_count(2)
    expect(page.reply).to_contain_text("What I recommend stays Reflex")


def test_a_link_that_is_none_opens_the_empty_page(open_page: Open) -> None:
    page = open_page("/?c=nonsense")
    page.tab.wait_for_load_state("networkidle")
    expect(page.tab.locator(".toast-body.error")).to_have_count(0)
    expect(page.turns).to_have_count(0)
    assert "Streamlit" in page.describe(REPORT)


def test_the_export_names_the_same_outcome_and_sources(open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    page.describe(STORY)
    saved = {}
    for name in ("Markdown", "JSON"):
        with page.tab.expect_download() as download:
            page.tab.locator("#export").get_by_role("link", name=name).click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        saved[name] = path.read_text(encoding="utf-8")
    value = json.loads(saved["JSON"])
    assert value["outcome"] == "reflex"
    assert value["messages"] == [{"role": "user", "content": STORY}]
    for part in (
        "## Context and Problem Statement",
        "## Considered Options",
        "## Decision Outcome",
        "Chosen option: Reflex",
        STORY,
    ):
        assert part in saved["Markdown"]
    shown = {str(row.get_attribute("id")).removeprefix("passage-") for row in page.sources.locator("details").all()}
    assert shown == {source for sentence in value["sentences"] for source in sentence["sources"]}
    assert all(f"[{source}](" in saved["Markdown"] for source in shown)


def test_retry_answers_anew_and_undo_gives_the_words_back(open_page: Open) -> None:
    page = open_page()
    page.describe(STORY)
    first = str(page.reply.text_content())
    page.retry()
    expect(page.turns).to_have_count(1)
    expect(page.reply).to_have_text(first, timeout=PATIENCE)
    page.undo()
    expect(page.box).to_have_value(STORY)
    expect(page.replies).to_have_count(0)


def test_a_text_that_is_too_long_stays_in_the_box(open_page: Open) -> None:
    page = open_page()
    page.ask("a" * 20_001)
    expect(page.tab.get_by_text("20001 characters")).to_be_visible(timeout=PATIENCE)
    assert len(page.box.input_value()) == 20_001
    expect(page.replies).to_have_count(0)


def test_an_example_fills_the_box_and_sends_nothing(open_page: Open) -> None:
    page = open_page()
    page.tab.get_by_role("button", name="Shift swaps").click()
    expect(page.box).to_have_value(STORY)
    page.tab.get_by_role("button", name="Churn report").click()
    expect(page.box).to_have_value(REPORT)
    expect(page.turns).to_have_count(0)


def test_an_example_leaves_what_somebody_has_begun_to_write(open_page: Open) -> None:
    page = open_page()
    page.box.fill("we are three vets and")
    page.tab.get_by_role("button", name="Shift swaps").click()
    page.tab.wait_for_timeout(500)
    expect(page.box).to_have_value("we are three vets and")


def test_a_turn_that_is_edited_is_answered_anew(open_page: Open) -> None:
    page = open_page()
    page.describe(STORY)
    page.describe("why not Gradio?")
    with page.redrawn():
        page.tab.get_by_role("button", name="Edit").first.click()
        page.tab.locator("#chat textarea").first.fill(REPORT)
        page.tab.get_by_role("button", name="Submit").first.click()
    expect(page.verdict).to_contain_text("Streamlit")
    expect(page.turns).to_have_count(1)
    page.tab.get_by_role("button", name="Edit").first.click()
    page.tab.locator("#chat textarea").first.fill("a" * 20_001)
    page.tab.get_by_role("button", name="Submit").first.click()
    expect(page.tab.get_by_text("20001 characters")).to_be_visible(timeout=PATIENCE)
    expect(page.turns.first).to_contain_text(REPORT)
    expect(page.replies).to_have_count(1)


def test_a_conversation_of_six_turns_with_retry_and_undo_ends_as_without_them(open_page: Open, advisor: Advisor) -> None:
    plain, wavering = open_page(), open_page()
    first = advisor.advise([VAGUE])
    assert first.question
    option = first.question.options[0]
    turns = [
        "what if customers paid for it and each had an account?",
        "why not Streamlit?",
        "actually nobody signs in",
        "start over",
    ]
    for page in (plain, wavering):
        page.describe(VAGUE)
        page.chip(option)
        for count, turn in enumerate(turns, 3):
            if page is wavering and count == 4:
                page.retry()
                page.describe("thanks, that helps")
                page.undo()
                expect(page.turns).to_have_count(3)
                page.box.fill("")
            page.describe(turn)
            expect(page.turns).to_have_count(count)
    expect(plain.verdict).to_contain_text("The decision")
    expect(wavering.verdict).to_contain_text("The decision")
    expect(plain.tab.locator("#chat").get_by_text("Fresh start")).to_be_visible(timeout=PATIENCE)
    expect(wavering.tab.locator("#chat .message-wrap")).to_have_text(
        str(plain.tab.locator("#chat .message-wrap").text_content()), timeout=PATIENCE
    )


def test_two_people_see_only_their_own(open_page: Open) -> None:
    one, two = open_page(), open_page()
    one.ask(STORY)
    assert "Streamlit" in two.describe(REPORT)
    expect(one.verdict).to_contain_text("Reflex", timeout=PATIENCE)
    expect(two.turns).to_have_count(1)
    expect(one.turns).to_have_count(1)
    expect(two.tab.locator("body")).not_to_contain_text("Nurses book slots, get reminders, and managers approve the swaps")


def test_the_history_survives_a_restart_of_the_server(open_page: Open, browser: Browser) -> None:
    port, context = free_port(), browser.new_context()
    with served(port=port) as url:
        page = open_page(url=url, context=context)
        page.describe(STORY)
        expect(page.tab.locator("#history button")).to_have_count(1, timeout=PATIENCE)
        page.tab.close()
    with served(port=port) as url:
        again = open_page(url=url, context=context)
        expect(again.verdict).to_contain_text("The decision")
        again.tab.locator(".toggle-button").first.click()
        again.tab.locator("#history button").first.click()
        expect(again.verdict).to_contain_text("Reflex", timeout=PATIENCE)
        expect(again.turns.first).to_contain_text("Nurses book slots")
    context.close()


def test_a_screen_reader_hears_each_sentence_once_and_then_that_the_answer_is_complete(open_page: Open, slow_url: str) -> None:
    page = open_page(url=slow_url)
    page.describe(STORY)
    told = page.tab.locator("#announced p").all_text_contents()
    assert told[-1] == "The answer is complete. Reflex"
    assert len(told) >= 10
    heard = "".join("".join(told[:-1]).split())
    assert heard
    assert "".join(str(page.reply.text_content()).split()).startswith(heard)
    assert heard.count("Reflexfitswhatyoudescribe") == 1
    expect(page.tab.locator("#chat [role=log]")).to_have_attribute("aria-live", "off")


def test_the_keyboard_alone_is_enough(open_page: Open) -> None:
    page = open_page()
    expect(page.box).to_be_focused(timeout=PATIENCE)
    page.tab.keyboard.type(STORY)
    page.tab.keyboard.press("Enter")
    expect(page.verdict).to_contain_text("Reflex", timeout=PATIENCE)
    expect(page.tab.locator("#announced p").last).to_have_text("The answer is complete. Reflex")
    flip = page.tab.locator("#flips button").first
    for _ in range(80):
        page.tab.keyboard.press("Tab")
        if flip.evaluate("node => node === document.activeElement"):
            break
    expect(flip).to_be_focused()
    with page.redrawn():
        page.tab.keyboard.press("Enter")
    expect(page.reply).to_contain_text("Supposing that")
    expect(page.tab.locator("#announced p").last).to_have_text("The answer is complete. Reflex")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_serious_fault(open_page: Open, scheme: str, width: int) -> None:
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 844})
    for stage in ("empty", "answered"):
        if stage == "answered":
            page.describe(VAGUE)
            page.describe(STORY)
            page.understood.locator("summary").click()
        found = Axe().run(page.tab).response["violations"]
        bad = [
            f"{v['id']}: {node['html'][:160]}" for v in found if v["impact"] in ("critical", "serious") for node in v["nodes"]
        ]
        assert bad == [], stage


def test_a_phone_shows_everything_without_scrolling_sideways(open_page: Open) -> None:
    page = open_page(viewport={"width": 390, "height": 844})
    page.describe(STORY)
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= 390
    page.tab.locator("#chat a[href*='#passage-G28']").first.click()
    expect(page.tab.locator("#passage-G28")).to_be_in_viewport()


def test_the_link_preview_carries_the_products_own_name_and_picture(open_page: Open) -> None:
    page = open_page()
    html = page.tab.request.get(page.url).text()
    assert 'property="og:title" content="What should I build this with?"' in html
    assert 'content="Gradio"' not in html
    picture = re.search(r'property="og:image" content="([^"]+)"', html)
    assert picture
    shown = page.tab.request.get(picture[1])
    assert shown.headers["content-type"] == "image/png"
    assert shown.body().startswith(b"\x89PNG")


@pytest.mark.slow
def test_likes_are_kept_as_lines_where_a_folder_is_named(open_page: Open, tmp_path: Path) -> None:
    with served(ADVISOR_FEEDBACK=str(tmp_path / "likes")) as url:
        page = open_page(url=url)
        assert '"named_endpoints":{}' in page.tab.request.get(f"{page.url}/gradio_api/info").text()
        page.describe(STORY)
        page.tab.get_by_role("button", name="Dislike").click()
        reason = page.tab.locator("#reason textarea")
        expect(reason).to_be_visible(timeout=PATIENCE)
        reason.fill("too long")
        reason.press("Enter")
        expect(reason).not_to_be_visible(timeout=PATIENCE)
    kept = [json.loads(line) for line in (tmp_path / "likes" / "feedback.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["turns"] for row in kept] == [[STORY], [STORY]]
    assert kept[0]["liked"] is False
    assert kept[1]["reason"] == "too long"


def test_a_new_conversation_ends_a_reply_that_runs_and_keeps_the_old_one(open_page: Open) -> None:
    page = open_page()
    page.describe(STORY)
    page.tab.locator(".toggle-button").first.click()
    page.tab.locator("#fresh").click()
    expect(page.turns).to_have_count(0, timeout=PATIENCE)
    page.tab.wait_for_timeout(500)
    expect(page.turns).to_have_count(0)
    page.describe(STORY)
    page.describe("why not Gradio?")
    expect(page.tab.locator("#history button")).to_have_count(1, timeout=PATIENCE)
    page.tab.locator("#fresh").click()
    page.describe(REPORT)
    expect(page.tab.locator("#history button")).to_have_count(2, timeout=PATIENCE)
    with page.redrawn():
        page.tab.locator("#history button").nth(1).click()
    expect(page.turns).to_have_count(2)
    expect(page.verdict).to_contain_text("Reflex")


@pytest.mark.parametrize(
    "turns", [["\x00"], ["<b onmouseover=alert(1)>bold</b>", "![](https://elsewhere.example/x.png)"], [""] * 3]
)
def test_a_hostile_link_does_no_harm(open_page: Open, turns: list[str]) -> None:
    page = open_page(f"/?c={pack(turns)}")
    expect(page.turns).to_have_count(len(turns), timeout=PATIENCE)
    expect(page.record).to_have_attribute("data-turns", str(len(turns)), timeout=PATIENCE)
    assert page.tab.locator("#chat [onmouseover], #record [onmouseover], #record img").count() == 0
