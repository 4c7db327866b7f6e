"""The page on top of ``advisor``: Gradio, HTML, CSS and JavaScript; no domain words and no decisions."""
