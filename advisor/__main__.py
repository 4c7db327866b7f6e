"""Command line: ``python -m advisor --jsonl`` reads conversations from standard input and writes advice to standard output."""

from __future__ import annotations

import argparse
import sys

from advisor.contract import answer_lines
from advisor.errors import AdvisorError
from advisor.pipeline import Advisor


def main(arguments: list[str] | None = None) -> int:
    """0: every line answered. 1: some line could not be read. 2: the advisor could not start."""
    parser = argparse.ArgumentParser(prog="python -m advisor", description=__doc__)
    parser.add_argument("--jsonl", action="store_true", required=True, help="one conversation a line in, one advice a line out")
    parser.parse_args(arguments)
    try:
        advisor = Advisor.load()
    except AdvisorError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    all_good = True
    for done, (text, good) in enumerate(answer_lines(advisor, sys.stdin.buffer), 1):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
        all_good &= good
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{done} answered")
    return 0 if all_good else 1


if __name__ == "__main__":
    sys.exit(main())
