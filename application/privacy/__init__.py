"""Personal data: erase a person, and delete what has passed its retention."""
