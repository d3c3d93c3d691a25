"""Headers and other parts of HTTP that know nothing of Slotkeeper."""
