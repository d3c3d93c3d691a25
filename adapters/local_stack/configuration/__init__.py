"""What one stack has: the choices made for it, its folder, its secrets, its addresses."""
