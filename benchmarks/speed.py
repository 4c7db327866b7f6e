"""What the advisor costs on top of its parts: time of an advice, of a start, and memory.

``python -m benchmarks.speed`` writes ``results/speed.json``. Every number is a ratio of two things measured in turn on
the same machine, medians after a warm-up, so that a busy machine moves both.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import psutil

from advisor import Advisor
from advisor.encoder import SentenceEncoder
from benchmarks import readme
from benchmarks.machine import ROOT, keep
from benchmarks.serving import answers_once, free_port

ROUNDS = 30
STARTS = 5
TALKS = 7
LONG = 50
REFINED = "And on floor {} there are {} more managers who look at the swaps of their own ward only."
SIXTY_WORDS = (
    "Our three ward managers plan the shifts of about forty nurses in a spreadsheet today. We want a small site where the "
    "nurses look at the coming month, book the slots that suit them, and get a reminder on the day before. When two of them "
    "want to swap, a manager has to say yes first. Team {}, about {} swaps each week now."
)
PARTS = "import gradio\nfrom advisor.encoder import SentenceEncoder\nSentenceEncoder().embed(['one sentence'])\n"
"""The same imports and the same model, one sentence encoded: what no advisor on these parts can do without."""


def seconds(call: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def advice() -> dict[str, float]:
    """Median milliseconds of advice and of the encoder alone on texts of 60 words that were never read before."""
    advisor, encoder = Advisor.load(), SentenceEncoder()
    whole, alone = [], []
    for turn in range(-5, ROUNDS):
        text = SIXTY_WORDS.format(turn + 5, 2 * turn + 12)
        alone_now = seconds(lambda text=text: encoder.tokens(text))  # type: ignore[misc]
        whole_now = seconds(lambda text=text: advisor.advise([text]))  # type: ignore[misc]
        if turn >= 0:
            alone.append(alone_now)
            whole.append(whole_now)
    ms, base = statistics.median(whole) * 1000, statistics.median(alone) * 1000
    return {"advice_ms": round(ms, 2), "encoder_ms": round(base, 2), "ratio": round(ms / base, 3)}


def long_conversation() -> dict[str, float]:
    """Median milliseconds of turn 50 and of turn 2 of a conversation, both new to an advisor that holds the turns before."""
    advisor = Advisor.load()
    early: list[float] = []
    late: list[float] = []
    for talk in range(-2, TALKS):
        turns = [SIXTY_WORDS.format(talk + 100, talk + 7)]
        advisor.advise(turns)
        for number in range(2, LONG + 1):
            turns.append(REFINED.format(talk + number, number) if number % 2 == 0 else "why not Streamlit?")
            taken = seconds(lambda turns=turns: advisor.advise(turns))  # type: ignore[misc]
            if talk >= 0 and number in (2, LONG):
                (early if number == 2 else late).append(taken)
    second, last = statistics.median(early) * 1000, statistics.median(late) * 1000
    return {"turn_2_ms": round(second, 2), f"turn_{LONG}_ms": round(last, 2), "ratio": round(last / second, 3)}


def start_and_memory() -> dict[str, float]:
    """Median seconds to the first page and peak memory in MiB, beside those of the bare parts."""
    served, parts, served_peak, parts_peak = [], [], [], []
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "ADVISOR_CACHE": cache, "HF_HUB_OFFLINE": "1",
                       "GRADIO_ANALYTICS_ENABLED": "False"}  # fmt: skip
        for turn in range(-1, STARTS):
            measured = _run([sys.executable, "-c", PARTS], environment, None)
            port = str(free_port())
            page = _run([sys.executable, "app.py"], {**environment, "GRADIO_SERVER_PORT": port}, f"http://127.0.0.1:{port}")
            if turn >= 0:
                parts.append(measured[0])
                parts_peak.append(measured[1])
                served.append(page[0])
                served_peak.append(page[1])
    start, bare = statistics.median(served), statistics.median(parts)
    peak, bare_peak = statistics.median(served_peak), statistics.median(parts_peak)
    return {
        "start_s": round(start, 2), "parts_s": round(bare, 2), "start_ratio": round(start / bare, 3),
        "peak_mib": round(peak), "parts_peak_mib": round(bare_peak), "peak_ratio": round(peak / bare_peak, 3),
    }  # fmt: skip


def _run(command: list[str], environment: dict[str, str], url: str | None) -> tuple[float, float]:
    """Seconds until the process ends, or until the page at ``url`` is served, and its peak resident memory in MiB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    watched, peak = psutil.Process(process.pid), 0
    while True:
        with contextlib.suppress(psutil.Error):  # it may just have ended
            peak = max(peak, watched.memory_info().rss)
        if process.poll() is not None:
            if url or process.returncode:
                raise SystemExit(f"{command} ended with {process.returncode}")
            break
        if url and answers_once(url):
            break
        time.sleep(0.01)
    taken = time.perf_counter() - start
    process.terminate()
    process.wait()
    return taken, peak / 2**20


if __name__ == "__main__":
    keep("speed", {"advice": advice(), "long_conversation": long_conversation(), "start_and_memory": start_and_memory()})
    readme.write()
