"""The theme lantern: templates and assets, no code."""
