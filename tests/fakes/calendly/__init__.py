"""A Calendly in memory: honest about rotation, conflicts and taken slots; fails on request."""
