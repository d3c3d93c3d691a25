"""Temporal's worker side: workflows, their activities, schedules, and the worker process.

Workflow modules hold one workflow each and import little: they are loaded again for every run.
"""
