"""The ports to Calendly: its API and its webhooks."""
