"""What a process and its children have used, as the kernel counts it."""

import psutil


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process, its children, and those that ended before now.

    A child that ends moves its time to its parent, so that none is lost between two looks.
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


def resident(pid: int) -> int:
    """Return the memory (bytes) that a process holds now."""
    return int(psutil.Process(pid).memory_info().rss)
