"""A local Calendly: the other side of the wire, in its own process.

It imports nothing of the service, so that the two can only agree by agreeing with Calendly.
"""
