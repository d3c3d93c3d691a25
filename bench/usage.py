"""CPU seconds and resident memory of processes, as the kernel counts them."""

from collections.abc import Mapping
from pathlib import Path

import psutil

CpuSeconds = Mapping[str, float]


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process and its children, ended ones included.

    A child that ends moves its time to its parent, so none is lost between two calls.
    """
    process = psutil.Process(pid)
    times = process.cpu_times()
    total = times.user + times.system + times.children_user + times.children_system
    for each in process.children(recursive=True):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return float(total)


def spent(pids: Mapping[str, int]) -> CpuSeconds:
    """Return the CPU seconds of each named process so far."""
    return {name: cpu_seconds(pid) for name, pid in pids.items()}


def difference(after: CpuSeconds, before: CpuSeconds) -> CpuSeconds:
    """Return the CPU seconds between two readings."""
    return {name: after[name] - before[name] for name in after}


def resident(pid: int) -> int:
    """Return the memory (bytes) that a process holds now."""
    return int(psutil.Process(pid).memory_info().rss)


def peak_memory(pid: int) -> int:
    """Return the most memory (bytes) that a process has held since the last `reset_peak`."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the kernel does not report how much memory a process held")


def reset_peak(pid: int) -> None:
    """Reset the peak to the memory that the process holds now (proc(5): clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
