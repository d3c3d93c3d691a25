"""Measure a warm availability cache: reads, cold users, days, outages and syncs."""
