"""The pytest plugin for module authors."""
