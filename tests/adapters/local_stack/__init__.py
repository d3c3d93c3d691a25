"""What one command starts, and that nothing of it is left behind."""
