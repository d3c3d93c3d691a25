"""Injected faults: what a network or an outage does to a client."""
