"""Carts: what somebody means to buy, kept for a member on all of his devices and for a visitor under a token of his own.

A cart promises nothing: prices and stock are looked up anew whenever it is shown, and only an order takes any.
"""
