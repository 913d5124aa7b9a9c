"""Tests. A package, so that none of the same name in an installed distribution stands before it."""
