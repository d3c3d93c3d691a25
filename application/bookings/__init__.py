"""Bookings: create, cancel, mark as no-show, list, and compare with Calendly's."""
