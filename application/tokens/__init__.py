"""The token lifecycle: refresh, exchange, and a session of calls at Calendly."""
