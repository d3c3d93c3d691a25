"""What taking in a webhook costs: group commit against one transaction a request."""
