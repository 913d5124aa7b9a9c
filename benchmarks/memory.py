"""The memory of processes, as the kernel counts it (Linux)."""

from pathlib import Path


def own_memory() -> float:
    """Megabytes of this process that are resident."""
    return memory_of("self")["Rss"]


def memory_of(process: int | str) -> dict[str, float]:
    """Megabytes of a process: ``Rss``, what is resident, and ``Pss``, the same with shared pages divided among their users."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text("ascii")
    found = {}
    for line in text.splitlines()[1:]:
        name, _, amount = line.partition(":")
        if name in ("Rss", "Pss"):
            found[name] = int(amount.split()[0]) / 1024
    return found


def children_of(process: int) -> list[int]:
    """The processes that a process has started and their descendants."""
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text("ascii").split():
            found += [int(child), *children_of(int(child))]
    return found
