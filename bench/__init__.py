"""Measurements against stated floors, run by hand or, at small sizes, by the tests."""
