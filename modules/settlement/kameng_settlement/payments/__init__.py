"""Payments: money that comes in through gateways, exactly once, and goes back the same way."""
