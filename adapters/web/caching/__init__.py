"""Responses that are kept, and the ETags by which clients keep them."""
