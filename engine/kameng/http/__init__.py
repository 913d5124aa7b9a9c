"""HTTP: the application, its health, metrics and headers."""
