"""Saved recipients: phones and game accounts that a member tops up, sealed by a key of the member's own."""
