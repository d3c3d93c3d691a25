"""Temporal's client side: connecting, the payload format, starting workflows by their names.

Nothing here imports a workflow: the names and inputs in `contract.py` are all that both sides share.
"""
