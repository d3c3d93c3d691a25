"""What keeping availability warm costs and promises: reads, cold users, days, outages, syncs."""
