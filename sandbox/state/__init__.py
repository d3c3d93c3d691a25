"""The accounts: users, event types, schedules, bookings, subscriptions. Plain structures and rules, no HTTP."""
