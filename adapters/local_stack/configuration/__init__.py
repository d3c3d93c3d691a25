"""The choices for one stack, its folder, its secrets and its addresses."""
