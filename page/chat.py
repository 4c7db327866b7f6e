"""What happens at each event of the page: user turns in, chat messages and a decision record out.

The conversation lives in the browser: the server keeps none of it, and works out everything from the user's turns.
"""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gradio as gr

from advisor import Advice, Advisor, Delta, InputError
from advisor.record import unpack
from page.record_view import RecordView

Message = dict[str, Any]
Asked = tuple[Any, Any, Any]
"""The chat to be seen, the chat to be answered, and the stop button."""
KEPT, KEPT_CHARACTERS = 20, 200_000
"""Conversations that the browser remembers at most, and their characters together; a browser stores some megabytes."""

_CITED = re.compile(r"#passage-([A-Z]\d+)")
_MARK = re.compile(r"(?<!\\)\[(\d+)\](?!\()")
ON, OFF = gr.update(interactive=True), gr.update(interactive=False)


def texts(content: Any) -> str:
    """A chat message's content as plain text; Gradio hands over a string or a list of blocks."""
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content or () if isinstance(block, dict) and "text" in block)


def said(turn: str) -> Message:
    """A user turn as a chat message; as a block, whose spaces Gradio leaves as they are."""
    return {"role": "user", "content": [{"type": "text", "text": turn}]}


def turns_of(history: list[Message]) -> list[str]:
    """The user's turns of a chat history, in order."""
    return [texts(message["content"]) for message in history if message["role"] == "user"]


def linked(piece: Delta, numbers: dict[str, int]) -> str:
    """A piece of a reply with its citations as links to their passages. ``numbers`` grows with the passages cited."""
    for source in piece.sources:
        numbers.setdefault(source, len(numbers) + 1)
    names = {number: source for source, number in numbers.items()}
    if not piece.sources:
        return piece.text
    return _MARK.sub(lambda mark: f"[\\[{mark[1]}\\]](#passage-{names.get(int(mark[1]), '')})", piece.text)


def cited(history: list[Message]) -> list[str]:
    """The passages that the replies of a chat cite."""
    replies = (texts(message["content"]) for message in history if message["role"] == "assistant")
    return [source for reply in replies for source in _CITED.findall(reply)]


def last_user(history: list[Message], index: int | tuple[int, int]) -> int:
    """The place of the user turn at or before the message that an event points to."""
    at = index[0] if isinstance(index, tuple | list) else index
    return max(place for place, message in enumerate(history[: at + 1]) if message["role"] == "user")


def sound(saved: Any) -> list[list[str]]:
    """Of what the browser kept, the conversations that are lists of texts."""
    rows = saved if isinstance(saved, list) else []
    return [row for row in rows if isinstance(row, list) and row and all(isinstance(turn, str) for turn in row)]


class Chat:
    """The functions behind the events."""

    def __init__(self, advisor: Advisor, feedback: Path | None = None) -> None:
        self.advisor, self.view, self.feedback = advisor, RecordView(advisor.knowledge), feedback
        self._limit = int(advisor.knowledge.number("input_limit"))

    def take(self, message: str, history: list[Message]) -> tuple[str, Any, Any, Any]:
        """Move the text from the box into the chat; a text that is too long stays in the box, and nothing is answered."""
        if self._too_long(message):
            return message, gr.skip(), history, gr.skip()
        return "", *self._asked(history, message)

    def answer(self, history: list[Message]) -> Iterator[tuple[Any, Any, Any]]:
        """Stream the reply to the last user turn into the chat, then draw the record; nothing where no turn waits.

        The third value switches the stop button off at the end.
        """
        if not history or history[-1]["role"] != "user":
            yield gr.skip(), gr.skip(), gr.skip()
            return
        try:
            for message, advice in self._replies(turns_of(history)):
                if advice is None:
                    yield [*history, message], gr.skip(), gr.skip()
                else:
                    yield [*history, message], self.record([*history, message], advice), OFF
        except InputError as error:
            yield [*history, {"role": "assistant", "content": str(error)}], gr.skip(), OFF

    def _replies(self, turns: list[str]) -> Iterator[tuple[Message, Advice | None]]:
        """The reply to the last turn as it grows, at its end with the advice."""
        message: Message = {"role": "assistant", "content": ""}
        numbers: dict[str, int] = {}
        for event in self.advisor.stream(turns):
            if isinstance(event, Delta):
                message = {**message, "content": message["content"] + linked(event, numbers)}
                yield message, None
                continue
            if event.advice.question:
                message = {**message, "options": [{"label": o, "value": o} for o in event.advice.question.options]}
            yield message, event.advice

    def record(self, history: list[Message], advice: Advice | None = None) -> str:
        """The record of a conversation as it stands; each drawing is told apart, so that the page notices an equal one.

        ``advice``: that of the last turn, where it is at hand.
        """
        turns = turns_of(history)
        try:
            drawn = self.view.draw(advice or self.advisor.advise(turns), turns, cited(history)) if turns else self.view.empty()
        except InputError as error:
            drawn = f"<p>{html.escape(str(error))}</p>"
        return f'<div data-drawn="{time.time_ns()}" data-turns="{len(turns)}">{drawn}</div>'

    def stopped(self, history: list[Message]) -> tuple[str, Any]:
        """The record after a reply was stopped, and the stop button switched off."""
        return self.record(history), OFF

    def replay(self, turns: Sequence[str]) -> tuple[list[Message], str]:
        """Chat and record of a conversation that is worked out again from the user's turns."""
        history: list[Message] = []
        for turn in turns:
            history.append(said(turn))
            try:
                history.append([message for message, _ in self._replies(turns_of(history))][-1])
            except InputError as error:
                history.append({"role": "assistant", "content": str(error)})
        return history, self.record(history)

    def restore(self, saved: Any, request: gr.Request) -> tuple[Any, Any, str]:
        """What the page opens with: the conversation in its link, if there is one, and the list of earlier ones."""
        turns = unpack(request.query_params.get("c", ""))
        chat, record = self.replay(turns) if turns else (gr.skip(), gr.skip())
        return chat, record, self.earlier(saved)

    def remember(self, history: list[Message], saved: Any) -> tuple[list[list[str]], str]:
        """The conversations that the browser keeps, the current one first; one that goes on replaces its beginning."""
        turns, kept, size = turns_of(history), sound(saved), 0
        if turns:
            kept = [turns, *(other for other in kept if turns[: len(other)] != other)][:KEPT]
        fitting = []
        for conversation in kept:
            size += sum(map(len, conversation))
            if size <= KEPT_CHARACTERS:
                fitting.append(conversation)
        return fitting, self.earlier(fitting)

    def earlier(self, saved: Any) -> str:
        """The list of earlier conversations."""
        rows = [
            f'<button type="button" data-place="{n}">{html.escape(" ".join(turns[0].split())[:80]) or "…"}</button>'
            for n, turns in enumerate(sound(saved))
        ]
        return "".join(rows) or f"<p>{html.escape(self.advisor.knowledge.say('page', 'no_history'))}</p>"

    def reopen(self, saved: Any, event: gr.EventData) -> tuple[list[Message], str, Any, Any]:
        """An earlier conversation, opened again."""
        place, kept = int(event._data["place"]), sound(saved)
        return *self.replay(kept[place] if place < len(kept) else []), OFF, gr.update(visible=False)

    def fresh(self) -> tuple[list[Message], str, Any, Any]:
        """An empty chat."""
        return [], self.record([]), OFF, gr.update(visible=False)

    def click(self, history: list[Message], event: gr.EventData) -> Asked:
        """A button of the record becomes the user turn that it stands for."""
        return self._asked(history, str(event._data["turn"]))

    def pick(self, history: list[Message], event: gr.SelectData) -> Asked:
        """A short answer that was clicked becomes a user turn."""
        return self._asked(history, str(event.value))

    def again(self, history: list[Message], event: gr.RetryData) -> Asked:
        """Forget the reply at the event, and what follows; its user turn is answered anew."""
        at = last_user(history, event.index)
        return self._asked(history[:at], texts(history[at]["content"]))

    def edit(self, history: list[Message], event: gr.EditData) -> Asked:
        """A user turn is put differently; what followed it is forgotten. One that is too long is put back."""
        at = last_user(history, event.index)
        if self._too_long(texts(event.value)):
            return [*history[:at], said(texts(event.previous_value)), *history[at + 1 :]], [], gr.skip()
        return self._asked(history[:at], texts(event.value))

    def back(self, box: str, history: list[Message], event: gr.UndoData) -> tuple[Any, list[Message], str]:
        """Take the last user turn back into the box, unless something is written there; draw what then stands."""
        at = last_user(history, event.index)
        return (gr.skip() if box.strip() else texts(history[at]["content"])), history[:at], self.record(history[:at])

    def like(self, history: list[Message], event: gr.LikeData) -> Any:
        """Keep a like or dislike with its conversation, and ask for the reason."""
        self._keep({"liked": bool(event.liked), "reply": event.index, "turns": turns_of(history)})
        return gr.update(visible=True, value="")

    def reason(self, text: str, history: list[Message]) -> Any:
        """Keep the reason of the last like or dislike."""
        if text.strip():
            self._keep({"reason": text.strip()[: self._limit], "turns": turns_of(history)})
        return gr.update(visible=False, value="")

    @staticmethod
    def _asked(history: list[Message], turn: str) -> Asked:
        asked = [*history, said(turn)]
        return asked, asked, ON

    def _too_long(self, turn: str) -> bool:
        """Whether a turn is too long; if so the person is told."""
        if len(turn) <= self._limit:
            return False
        gr.Warning(self.advisor.knowledge.say("prompts", "too_long", found=len(turn), limit=self._limit), title="")
        return True

    def _keep(self, record: dict[str, Any]) -> None:
        assert self.feedback
        line = json.dumps({"when": datetime.now(UTC).isoformat(timespec="seconds"), **record}, ensure_ascii=True)
        self.feedback.mkdir(parents=True, exist_ok=True)
        with (self.feedback / "feedback.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")
