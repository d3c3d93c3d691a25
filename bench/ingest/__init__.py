"""The cost of a webhook delivery: group commit against one transaction a request."""
