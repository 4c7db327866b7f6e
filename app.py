"""The page: a Gradio chat on top of ``advisor``. Builds the page and turns events into chat messages; no domain words here."""

from __future__ import annotations

import html
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import gradio as gr

from advisor import Advisor, AdvisorError, Delta, InputError

Message = dict[str, Any]
PORT = 7860
LONGEST_QUEUE = 200
"""Turns that may wait at once; a turn takes a fraction of a second, so a longer queue means something is wrong."""

CSS = """
footer { display: none !important }
#chat { min-height: 18rem }
#examples { display: grid; grid-template-columns: repeat(3, 1fr); gap: .5rem }
@media (max-width: 640px) { #chat { height: 40vh !important } }
#passages details { border-left: 3px solid var(--primary-600); padding: .25rem .75rem; margin: .5rem 0 }
#passages details.update { border-left-color: #b45309 }
#passages summary { cursor: pointer }
#passages .layer { font-size: .85em; opacity: .85 }
"""
THEME = gr.themes.Base(
    primary_hue="teal",
    neutral_hue="slate",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
).set(button_primary_background_fill="*primary_700", button_primary_background_fill_hover="*primary_800")


def texts(content: Any) -> str:
    """A chat message's content as plain text; Gradio hands over a string or a list of blocks."""
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content or () if isinstance(block, dict) and "text" in block)


def turns_of(history: list[Message]) -> list[str]:
    """The user's turns of a chat history, in order."""
    return [texts(message["content"]) for message in history if message["role"] == "user"]


def passages_html(advisor: Advisor, sources: Sequence[str]) -> str:
    """The cited passages, numbered as in the text, each one to open and read."""
    page = advisor.knowledge.wording["page"]
    rows = []
    for number, source in enumerate(sources, 1):
        passage = advisor.knowledge.passages[source]
        badge = page["article_badge"] if passage.layer == "article" else page["update_badge"]
        place = (
            f"{passage.package} {passage.version}, {passage.date}. {passage.evidence} · " if passage.layer == "update" else ""
        )
        rows.append(
            f'<details id="passage-{number}" class="{passage.layer}">'
            f"<summary>[{number}] {html.escape(passage.section)} "
            f"<span class='layer'>{passage.id}, {html.escape(badge)}</span></summary>"
            f"<p>{html.escape(passage.text)}</p><p class='layer'>{html.escape(place)}"
            f'<a href="{html.escape(passage.url)}" target="_blank" rel="noopener">{html.escape(passage.url)}</a></p></details>'
        )
    return "".join(rows) or f"<p>{html.escape(page['no_passages'])}</p>"


def build(advisor: Advisor) -> gr.Blocks:
    """The page, with every event wired. The conversation lives in the chat component; the server keeps none of it."""
    page = advisor.knowledge.wording["page"]
    limit = int(advisor.knowledge.number("input_limit"))

    def take(message: str, history: list[Message]) -> tuple[str, list[Message]]:
        """Move the text from the box into the chat; a text that is too long stays in the box, and nothing is answered."""
        if len(message) > limit:
            gr.Warning(advisor.knowledge.say("prompts", "too_long", found=len(message), limit=limit), title="")
            return message, history
        return "", [*history, {"role": "user", "content": message}]

    def answer(history: list[Message]) -> Iterator[tuple[Any, Any]]:
        """Stream the reply to the last user turn into the chat, then show its passages; nothing where no turn waits."""
        if not history or history[-1]["role"] != "user":
            yield gr.skip(), gr.skip()
            return
        message: Message = {"role": "assistant", "content": ""}
        passages = passages_html(advisor, ())
        try:
            for event in advisor.stream(turns_of(history)):
                if isinstance(event, Delta):
                    message = {**message, "content": message["content"] + event.text}
                else:
                    passages = passages_html(advisor, event.advice.sources)
                    if event.advice.question:
                        chips = [{"label": option, "value": option} for option in event.advice.question.options]
                        message = {**message, "options": chips}
                yield [*history, message], passages
        except InputError as error:
            yield [*history, {"role": "assistant", "content": str(error)}], passages

    def pick(history: list[Message], event: gr.SelectData) -> list[Message]:
        """A short answer that was clicked becomes a user turn."""
        return [*history, {"role": "user", "content": str(event.value)}]

    def again(history: list[Message], event: gr.RetryData) -> list[Message]:
        """Forget the reply at the event, and what follows; its user turn is answered anew."""
        return history[: _last_user(history, event.index) + 1]

    def back(history: list[Message], event: gr.UndoData) -> tuple[str, list[Message], str]:
        """Take the last user turn back into the box, and show the passages of what then stands."""
        at = _last_user(history, event.index)
        kept = history[:at]
        turns = turns_of(kept)
        passages = passages_html(advisor, advisor.advise(turns).sources if turns else ())
        return texts(history[at]["content"]), kept, passages

    with gr.Blocks(title=page["title"], analytics_enabled=False) as demo:
        gr.Markdown(f"# {page['title']}\n\n{page['intro']}")
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                chat = gr.Chatbot(
                    elem_id="chat", label=page["title"], show_label=False, layout="bubble", height="56vh",
                    placeholder=page["chat_placeholder"], autoscroll=False, buttons=["copy", "copy_all"],
                )  # fmt: skip
                with gr.Row():
                    box = gr.Textbox(
                        elem_id="box", placeholder=page["placeholder"], label=page["placeholder"], show_label=False,
                        lines=2, max_lines=12, autofocus=True, scale=5, min_width=160,
                    )  # fmt: skip
                    send = gr.Button(page["send"], elem_id="send", variant="primary", scale=1, min_width=64)
                    stop = gr.Button(page["stop"], elem_id="stop", scale=1, min_width=64)
                gr.Markdown(page["examples"])
                with gr.Row(elem_id="examples"):
                    for example in advisor.knowledge.page_examples:
                        button = gr.Button(example.title, size="sm", min_width=64)
                        button.click(None, None, box, js=f"() => {json.dumps(example.text)}", api_visibility="private")
                gr.Markdown(page["limits"], elem_id="limits")
            with gr.Column(scale=2, min_width=320):
                gr.Markdown(f"## {page['passages']}")
                passages = gr.HTML(passages_html(advisor, ()), elem_id="passages")

        shared: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        streamed: dict[str, Any] = {**shared, "concurrency_limit": None}
        sent = gr.on([box.submit, send.click], take, [box, chat], [box, chat], **streamed)
        retried = chat.retry(again, chat, chat, queue=False, **shared)
        picked = chat.option_select(pick, chat, chat, queue=False, **shared)
        running = [event.success(answer, chat, [chat, passages], **streamed) for event in (sent, retried, picked)]
        chat.undo(back, chat, [box, chat, passages], **streamed)
        stop.click(None, None, None, cancels=running, **shared)
        chat.clear(lambda: passages_html(advisor, ()), None, passages, queue=False, **shared)
    demo.queue(max_size=LONGEST_QUEUE)
    return demo


def _last_user(history: list[Message], index: int | tuple[int, int]) -> int:
    """The place of the user turn at or before the message that an event points to."""
    at = index[0] if isinstance(index, tuple) else index
    return max(place for place, message in enumerate(history[: at + 1]) if message["role"] == "user")


def main() -> int:
    """Serve the page; 0 after a normal end, 2 where it could not start."""
    host = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
    port = int(os.environ.get("GRADIO_SERVER_PORT", PORT))
    try:
        demo = build(Advisor.load())
        demo.launch(
            server_name=host, server_port=port, theme=THEME, css=CSS, ssr_mode=False, footer_links=[],
            run_history=False, enable_monitoring=False, share=False, show_error=True,
        )  # fmt: skip
    except AdvisorError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        if "port" not in str(error):
            raise
        sys.stderr.write(f"Port {port} on {host} is taken. Choose another: GRADIO_SERVER_PORT={port + 1} python app.py\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
