"""Payments in the two schemas."""
