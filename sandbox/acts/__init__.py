"""The acts of people: invitees book, reschedule and cancel; hosts cancel, mark and edit."""
