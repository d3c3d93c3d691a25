"""Wire structs to domain values and back: pure functions, no I/O."""
