"""Scenarios of hours, played in minutes: our clock and the sandbox's are moved in step."""
