"""Counts, as a table says them."""

from collections.abc import Mapping


def listed(counted: Mapping[str, int]) -> str:
    """Return each name with its count."""
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counted.items()))
