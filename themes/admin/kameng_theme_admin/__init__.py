"""The default admin theme: a folder of templates, documents and assets; no code."""
