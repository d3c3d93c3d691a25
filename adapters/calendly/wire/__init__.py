"""Calendly's JSON as it travels: every field we read, none that we do not.

Unknown fields are ignored and undocumented absences tolerated; a struct here never leaves the
package, `adapters.calendly.translation` makes domain values of it.
"""
