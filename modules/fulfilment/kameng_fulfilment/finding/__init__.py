"""Finding orders: by anything that somebody knows of them, and narrowed down; each by an index."""
