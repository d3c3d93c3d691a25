"""The activities: methods of classes that hold use cases, and say nothing themselves.

A page of work is one activity; each row's failure is counted by its use case, never raised.
"""
