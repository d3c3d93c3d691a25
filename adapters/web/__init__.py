"""The HTTP edge: Litestar controllers, problem details, the page for the first five minutes.

Nothing here decides; each handler reads a request, calls one use case and shapes its answer.
"""
