"""Reconciliation in the admin schema."""
