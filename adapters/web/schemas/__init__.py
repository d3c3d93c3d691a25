"""The JSON of the API in snake_case, separate from the domain so that either may change."""
