"""An advisor on what to build an interface with: Streamlit, Gradio, Reflex, or none of them."""

from advisor.errors import AdvisorError, InputError, KnowledgeError, ModelError
from advisor.pipeline import Advisor
from advisor.values import Advice, Decision, Delta, Done, Evidence, Reading, Sentence, Signal

__all__ = [
    "Advice",
    "Advisor",
    "AdvisorError",
    "Decision",
    "Delta",
    "Done",
    "Evidence",
    "InputError",
    "KnowledgeError",
    "ModelError",
    "Reading",
    "Sentence",
    "Signal",
]
