"""Migrations in the order of their ids; a file that was released is never edited."""
