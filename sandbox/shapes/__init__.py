"""Records as the JSON bodies Calendly sends; one module a resource, no rules."""
