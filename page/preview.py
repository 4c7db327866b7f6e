"""What a link to the page shows in other programs: the product's own name, sentence and picture instead of Gradio's.

Gradio writes its own preview tags into the page; this changes them on the way out, and serves the picture.
"""

from __future__ import annotations

import html
import re

from starlette.datastructures import URL, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PICTURE = "/preview.png"
_TAG = re.compile(rb'<meta\s+(?:property|name)="(?:og|twitter):[^>]*?/?>', re.DOTALL)


class LinkPreview:
    """Middleware around the page. ``picture``: a PNG."""

    def __init__(self, app: ASGIApp, title: str, description: str, picture: bytes) -> None:
        self._app, self._title, self._description, self._picture = app, title, description, picture

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and scope["path"] == PICTURE:
            await Response(self._picture, media_type="image/png")(scope, receive, send)
            return
        if scope["type"] != "http" or scope["path"] != "/":
            await self._app(scope, receive, send)
            return
        head: list[Message] = []
        body: list[bytes] = []

        async def changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                head.append(message)
                return
            body.append(message.get("body", b""))
            if not message.get("more_body"):
                page = self._tagged(b"".join(body), str(URL(scope=scope).replace(path="/", query="")))
                headers = MutableHeaders(raw=head[0]["headers"])
                headers["content-length"] = str(len(page))
                headers["content-security-policy"] = (
                    "img-src 'self' data: blob:"  # a turn in a link may hold a picture's address
                )
                await send(head[0])
                await send({"type": "http.response.body", "body": page})

        await self._app(scope, receive, changed)

    def _tagged(self, page: bytes, url: str) -> bytes:
        """The page with the product's preview tags in place of all others."""
        values = {
            "og:title": self._title, "og:type": "website", "og:url": url, "og:description": self._description,
            "og:image": url.rstrip("/") + PICTURE, "twitter:card": "summary_large_image", "twitter:title": self._title,
            "twitter:description": self._description, "twitter:image": url.rstrip("/") + PICTURE,
            "description": self._description,
        }  # fmt: skip
        tags = "".join(
            f'<meta {"property" if name.startswith("og:") else "name"}="{name}" content="{html.escape(value)}" />'
            for name, value in values.items()
        )
        return _TAG.sub(b"", page).replace(b"<head>", b"<head>" + tags.encode(), 1)
