"""Rows of the database to values of the domain, explicitly."""
