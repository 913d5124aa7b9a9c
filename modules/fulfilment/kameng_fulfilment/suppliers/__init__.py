"""Suppliers: orders that others deliver for the shop, over a network that loses answers.

What is ordered is written down before anybody is called, and the call is made outside of any transaction. An answer that
does not come is *unknown*: it is asked about until it is known, and only a definite no lets the next supplier have a try.
"""
