"""What stands where on the page, and which event calls which function of ``chat``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr

from advisor import Advisor
from page.chat import Chat

LONGEST_QUEUE = 200
"""Turns that may wait at once; a turn takes a fraction of a second, so a longer queue means something is wrong."""
STORAGE = {"storage_key": "advisor-conversations", "secret": "kept-in-the-browser-only"}
"""Fixed, so that a restart of the server can still read what the browser holds; it is no secret and protects nothing."""
STATIC = Path(__file__).resolve().parent / "static"
CLICKED = """element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-place]");
  if (button) trigger("select", { place: button.dataset.place });
});"""
ENDING = """(...given) => {
  if (!document.querySelector("#stop").disabled) document.querySelector("#cancel").click();
  return given;
}"""
"""Whoever goes on waits for no reply: one that runs ends where it is. A cancel without a reply that runs would be an error."""

FILLING = "(draft) => !draft.trim() || %s.includes(draft) ? %s : draft"
"""An example fills the box unless somebody has begun to write there."""


def build(advisor: Advisor, feedback: Path | None = None) -> gr.Blocks:
    """The page. ``feedback``: folder for likes and dislikes; without one there are none."""
    page, on = advisor.knowledge.wording["page"], Chat(advisor, feedback)
    with gr.Blocks(title=page["title"], analytics_enabled=False) as demo:
        saved = gr.BrowserState([], **STORAGE)
        waiting = gr.JSON(visible=False)  # the chat with the turn to be answered: a reply that still runs cannot take it away
        cancel = gr.Button(elem_id="cancel", visible="hidden")
        with gr.Sidebar(open=False, label=page["history"], width=280):
            gr.Markdown(f"## {page['history']}")
            fresh = gr.Button(page["fresh"], elem_id="fresh", size="sm")
            history = gr.HTML(on.earlier([]), elem_id="history", js_on_load=CLICKED)
        gr.Markdown(f"# {page['title']}\n\n{page['intro']}")
        gr.HTML(f'<div id="announced" role="log" aria-live="polite" class="sr-only" data-done="{page["done"]}"></div>')
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                chat = gr.Chatbot(
                    elem_id="chat", label=page["title"], show_label=False, layout="bubble", height="56vh",
                    placeholder=page["chat_placeholder"], autoscroll=False, buttons=["copy", "copy_all"], editable="user",
                )  # fmt: skip
                why = gr.Textbox(label=page["reason"], elem_id="reason", visible=False, submit_btn=True)
                with gr.Row():
                    box = gr.Textbox(
                        elem_id="box", placeholder=page["placeholder"], label=page["placeholder"], show_label=False,
                        lines=1, max_lines=12, autofocus=True, scale=5, min_width=160,
                    )  # fmt: skip
                    send = gr.Button(page["send"], elem_id="send", variant="primary", scale=1, min_width=64)
                    stop = gr.Button(page["stop"], elem_id="stop", scale=1, min_width=64, interactive=False)
                gr.Markdown(page["examples"])
                with gr.Row(elem_id="examples"):
                    texts = json.dumps([example.text for example in advisor.knowledge.page_examples])
                    for example in advisor.knowledge.page_examples:
                        button = gr.Button(example.title, size="sm", min_width=64)
                        button.click(None, box, box, js=FILLING % (texts, json.dumps(example.text)), api_visibility="private")
                gr.Markdown(page["limits"], elem_id="limits")
            with gr.Column(scale=2, min_width=320):
                record = gr.HTML(on.record([]), elem_id="record", js_on_load=(STATIC / "record.js").read_text("utf-8"))

        # "multiple": a turn that is sent while the reply to another one runs is answered too
        shared: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "trigger_mode": "multiple"}
        # without the queue an event is quicker, but cannot warn
        short, streamed = {**shared, "queue": False}, {**shared, "concurrency_limit": None}
        asks, whole = [chat, waiting, stop], [chat, record, stop, why]
        asked = [
            gr.on([box.submit, send.click], on.take, [box, chat], [box, *asks], js=ENDING, **streamed),
            chat.option_select(on.pick, chat, asks, js=ENDING, **short),
            record.select(on.click, chat, asks, js=ENDING, **short),
            chat.retry(on.again, chat, asks, **short),
            chat.edit(on.edit, chat, asks, **streamed),
        ]
        running = [event.success(on.answer, waiting, [chat, record, stop], **streamed) for event in asked]
        cancel.click(None, cancels=running, **shared)
        stopped = stop.click(on.stopped, chat, [record, stop], cancels=running, **streamed)
        undone = chat.undo(on.back, [box, chat], [box, chat, record], **streamed)
        for event in (*running, stopped, undone):
            event.then(on.remember, [chat, saved], [saved, history], **short)
        gr.on([chat.clear, fresh.click], on.fresh, None, whole, js=ENDING, **short)
        history.select(on.reopen, saved, whole, js=ENDING, **streamed)
        demo.load(on.restore, saved, [chat, record, history], **streamed)
        if feedback:
            chat.like(on.like, chat, why, **short)
            why.submit(on.reason, [why, chat], why, **short)
    demo.queue(max_size=LONGEST_QUEUE)
    return demo
