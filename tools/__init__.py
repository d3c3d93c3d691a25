"""Checks that developers run over this repository; the service does not import them."""
