"""Reconciliation: what a gateway says happened, held against what we recorded; every difference becomes a case.

The rooms: `bills` reads the files of gateways into one normal form, `matching` compares two sides, and the rest keeps bills,
runs, cases and what is carried over a day's end. What reads and compares needs polars, which is heavy (some 150 MB
unpacked), so it comes by the extra ``kameng-settlement[reconcile]`` and is imported only where it is used.
"""
