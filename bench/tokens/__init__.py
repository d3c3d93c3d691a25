"""What keeping many grants alive costs, in time, memory, history and database reads."""
