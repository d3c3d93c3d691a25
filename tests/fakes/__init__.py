"""Stateful stand-ins for the ports, held to the same contracts as the real ones."""
