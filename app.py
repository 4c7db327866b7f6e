"""Starts the page: loads the advisor, then serves the chat. ``python app.py``"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import gradio as gr
from starlette.middleware import Middleware

from advisor import Advisor, AdvisorError
from page.layout import STATIC, build
from page.preview import LinkPreview

PORT = 7860
THEME = gr.themes.Base(
    primary_hue="teal",
    neutral_hue="slate",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
).set(
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_dark="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    button_primary_background_fill_hover_dark="*primary_800",
)


def main() -> int:
    """Serve the page; 0 after a normal end, 2 where it could not start."""
    host = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
    given = os.environ.get("GRADIO_SERVER_PORT", str(PORT))
    if not given.isdigit():
        sys.stderr.write(f"GRADIO_SERVER_PORT is {given!r}; give it the number of a port, such as {PORT}\n")
        return 2
    port = int(given)
    folder = os.environ.get("ADVISOR_FEEDBACK")
    try:
        advisor = Advisor.load()
        page = advisor.knowledge.wording["page"]
        preview = Middleware(LinkPreview, title=page["title"], description=page["short_description"],
                             picture=(STATIC / "preview.png").read_bytes())  # fmt: skip
        build(advisor, Path(folder) if folder else None).launch(
            server_name=host, server_port=port, theme=THEME, css=(STATIC / "page.css").read_text("utf-8"), ssr_mode=False,
            footer_links=[], run_history=False, enable_monitoring=False, share=False, show_error=True,
            app_kwargs={"middleware": [preview]},
        )  # fmt: skip
    except AdvisorError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        if "empty port" not in str(error):
            raise
        sys.stderr.write(f"Port {port} on {host} is taken. Choose another: GRADIO_SERVER_PORT={port + 1} python app.py\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
