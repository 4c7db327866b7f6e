"""Where and when a number was measured, and where it is kept: every result file begins with this."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from advisor.encoder import file_sha256
from advisor.knowledge import FOLDER

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PACKAGES = ("torch", "gradio", "sentence-transformers", "transformers")


def machine() -> dict[str, Any]:
    """Date, processor, usable cores, Python and the versions that matter."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{_processor()}, {len(os.sched_getaffinity(0))} cores usable",
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def weights_sha256() -> str:
    """One digest of everything that was trained or fitted: the reader's files and the conversation's."""
    files = sorted(path for name in ("reader", "conversation") for path in (FOLDER / name).iterdir())
    return hashlib.sha256("".join(f"{path.name} {file_sha256(path)}\n" for path in files).encode()).hexdigest()


def keep(name: str, measured: Mapping[str, Any]) -> None:
    """Write ``results/<name>.json``, with the digest of the weights it was measured with, and print it."""
    text = json.dumps({**machine(), "weights_sha256": weights_sha256(), **measured}, indent=1, ensure_ascii=False)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(text)
