"""Ports to the operating system: the time, randomness, tasks of this process."""
