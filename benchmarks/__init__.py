"""Measurements by committed scripts; see README.md."""
