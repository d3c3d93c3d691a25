"""Calendly's side of the hexagon: HTTP and webhook bodies in, domain values out.

Nothing outside this package knows a URL, a header or a field name of Calendly's. Tokens leave
only for the configured hosts, whatever host a resource URI names.
"""
