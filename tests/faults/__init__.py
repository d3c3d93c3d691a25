"""Faults on real parts: what must hold is put beside what was seen, one row a promise."""
