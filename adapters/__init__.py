"""Everything that touches the outside: HTTP, PostgreSQL, Temporal, Calendly, the terminal.

Adapters implement the application's ports and turn outside errors into the domain's. Nothing here
connects, reads the environment or configures logging at import.
"""
