"""Use cases, one verb a module, and the ports that they need.

Only the domain, the standard library and msgspec may be imported here. A use case's constructor
is its complete list of dependencies; one use case is one transaction, never across a call out.
"""
