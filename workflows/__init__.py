"""Temporal's worker side: workflows, their activities, schedules, and the worker process.

Temporal loads a workflow's module again for every run, so these modules import little.
"""
