"""A Calendly of many hosts that is fast enough to be asked hundreds of thousands of times.

It answers the four reads that availability is made of in the sandbox's own shape (a test compares
them), keeps the truth of who booked what, and counts what it is asked. It knows no faults but one:
being down.
"""
