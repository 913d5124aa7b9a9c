"""Holds: money of an account that is set aside, and is posted, voided or expires once."""
