"""The REST API as Calendly answers it: shapes, errors, limits."""
