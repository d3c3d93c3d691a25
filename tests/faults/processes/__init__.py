"""Programs that the fault scenarios run as processes of their own, and kill."""
