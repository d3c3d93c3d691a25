"""The ports to the database."""
