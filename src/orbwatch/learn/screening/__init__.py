"""Histories screened as an operator would have: predicted approaches to learn from."""
