"""A town of connected hosts, their readers and their invitees, whose hours pass in seconds."""
