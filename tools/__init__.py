"""Commands of the repository itself: the locks, the installation, the commits.

They run as `python -m tools.NAME` and do not belong to the product.
"""
