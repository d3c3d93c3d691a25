"""The capabilities that the use cases need from outside: one a file, as a typing.Protocol.

Ports speak domain types only. A docstring is the contract: what happens on absent, duplicate, late.
"""
