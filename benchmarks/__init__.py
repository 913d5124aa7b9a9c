"""Side-by-side measurements: ours and a reference, in turn, in the same run.

    python -m benchmarks NAME [--json] [--size small|full]

A benchmark starts what it needs on free ports, seeds, warms up, measures A B A B …, and prints a table or, with ``--json``, one
object a line. Figures are medians; the ratio is what counts, since these machines are shared. A benchmark never asserts.
"""
