"""Event types, slots, busy times and schedules: read, cache, refresh."""
