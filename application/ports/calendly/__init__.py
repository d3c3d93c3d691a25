"""What the use cases need from Calendly's API and from its webhooks."""
