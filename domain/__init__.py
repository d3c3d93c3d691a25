"""The rules of keeping a Calendly account: pure values and functions.

Only the standard library and msgspec may be imported here. No clock, no I/O, no logging:
the time and every random number come in as arguments.
"""
