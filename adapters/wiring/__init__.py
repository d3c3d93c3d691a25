"""The composition of adapters and use cases: one module a flow, and the one list of use cases.

Only `adapters.bootstrap` composes; web, commands and workflows read the list in `services.py`.
"""
