"""Working through pages of rows: the page loop, its result, and the place of an unexpected error."""
