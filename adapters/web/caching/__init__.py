"""The cache of responses, and the ETags by which clients cache them."""
