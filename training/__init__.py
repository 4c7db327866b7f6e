"""Training: labelled examples in, the reader's weights out. Not needed to run the advisor."""
