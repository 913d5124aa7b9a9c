"""The demo shop's input files, generated: product list, card stock, and both again with planted faults.

Run ``python -m tools.example_data`` to write ``examples/data/``, and the same with ``--check`` to compare the
folder with what would be written. Brands and denominations are real, prices are samples, and every secret
comes from a seeded generator and redeems nothing.
"""
