"""What the operating system gives: the time, chance, tasks of this process."""
