"""Signed webhook deliveries with Calendly's time-outs, retries and disabling."""
