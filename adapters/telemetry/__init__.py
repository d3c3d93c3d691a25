"""Structured logs and counters for operators, and the rule that neither shows a secret."""
