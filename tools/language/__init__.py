"""Plain technical English: where the repository's prose is, and the rules that it follows."""
