"""The cost of token refreshes: throughput, workflow history, memory, and claims in the database."""
