"""Piccolo tables; nothing outside `adapters.persistence` imports them."""
