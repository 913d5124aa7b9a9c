"""Saved views: a list of the back office as somebody of the staff wants to find it again."""
