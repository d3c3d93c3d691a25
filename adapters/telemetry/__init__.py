"""What operators see: structured logs, counters, and the rule that neither shows a secret."""
