"""`slotkeeper demo`: the whole journey over real HTTP, checked step by step.

Speaks only HTTP to the running stack, like any client; imports nothing of the use cases.
"""
