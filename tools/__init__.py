"""Commands of the repository itself: the locks, the installation, the commits.

They run as `python -m tools.NAME` and are no part of the product.
"""
