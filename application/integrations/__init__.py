"""A user's link to Calendly: connect, view, disconnect."""
