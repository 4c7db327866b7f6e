"""The page on a machine so slow that one can press stop: the real advisor, with a pause before each piece of a reply."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence

from advisor import Advisor
from advisor.pipeline import Turn
from advisor.values import Event
from page.layout import build


class SlowAdvisor(Advisor):
    """Pauses before each piece."""

    def stream(self, turns: Sequence[Turn]) -> Iterator[Event]:
        for event in super().stream(turns):
            time.sleep(0.15)
            yield event


if __name__ == "__main__":
    port = int(os.environ["GRADIO_SERVER_PORT"])
    build(SlowAdvisor.load()).launch(
        server_name="127.0.0.1", server_port=port, ssr_mode=False, run_history=False, footer_links=[]
    )
