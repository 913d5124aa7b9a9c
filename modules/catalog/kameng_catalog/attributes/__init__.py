"""Typed attributes: what products of a category state in the same words, checked, and filtered by."""
