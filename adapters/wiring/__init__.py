"""Which adapter goes into which use case: one module a flow, nothing but constructors.

Only `adapters.bootstrap` calls in here.
"""
