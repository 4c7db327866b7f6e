"""What can go wrong, each error with file or place, what was found, and how to mend it."""

from __future__ import annotations


class AdvisorError(Exception):
    """Base of every error that the advisor raises on purpose."""


class KnowledgeError(AdvisorError):
    """One or more broken knowledge files; ``problems`` has a line for each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{len(problems)} problem(s) in the knowledge:\n" + "\n".join(f"  - {p}" for p in problems))


class ModelError(AdvisorError):
    """The encoder or the reader's weights are missing or altered."""


class InputError(AdvisorError):
    """A conversation that cannot be answered as it stands, with a sentence for the person."""
