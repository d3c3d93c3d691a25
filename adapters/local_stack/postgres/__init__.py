"""The embedded PostgreSQL: binaries, cluster, server."""
