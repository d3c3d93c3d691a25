"""What goes over the wire: snake_case JSON, apart from the domain so that either may change."""
