"""What people do: invitees book, reschedule and cancel; hosts cancel, mark and edit."""
