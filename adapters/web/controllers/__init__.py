"""One resource a file: read the request, call one use case, shape the answer."""
