"""The progress of a run as one line of Markdown, for the Temporal UI."""

from collections.abc import Mapping
from datetime import datetime

from application.jobs.job_result import JobResult
from workflows.messages import Step


def describe(job_result: JobResult, pages: int) -> str:
    """Return e.g. `**2 pages, 137 examined** · refreshed 130 · failed: calendly_unavailable 7`."""
    parts = [f"**{pages} {'page' if pages == 1 else 'pages'}, {job_result.examined} examined**"]
    if job_result.done:
        parts.append(_counts(job_result.done))
    if job_result.failed:
        parts.append(f"failed: {_counts(job_result.failed)}")
    if job_result.more:
        parts.append("more to come")
    return " · ".join(parts)


def describe_wait(held_by: str | None, resumes_at: datetime | None) -> str:
    """Return e.g. ` · waiting until 12:05:10 UTC (circuit_open)`, or nothing."""
    if held_by is None:
        return ""
    if resumes_at is None:
        return f" · the rest is left for the next run ({held_by})"
    return f" · waiting until {resumes_at:%H:%M:%S} UTC ({held_by})"


def describe_steps(ended: Mapping[str, Step]) -> str:
    """Return e.g. `subscription **created** · bookings **backfilled 3**`, in the order of ends."""
    return " · ".join(f"{name} **{_ending(step)}**" for name, step in ended.items())


def _ending(step: Step) -> str:
    if step.error_code is not None:
        return f"failed: {step.error_code}"
    return f"{step.result} {step.count}" if step.count else step.result


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
