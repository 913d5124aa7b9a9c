"""A soak: mixed load on real processes for a while, with reloads, watching memory and every answer.

``python -m benchmarks.soak --minutes 5``, or ``make soak MINUTES=60``. It fails, with exit code 1, on any answer that is neither right
nor refused by design, on an order that was answered and is not there, and on memory that grows beyond the bounds of `memory`.
"""
