"""Bulk work as jobs: imports, exports, changes of many prices or products at once, and their roll-backs."""
