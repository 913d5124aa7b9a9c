"""Pictures of products: taken in, checked, made small, kept and served."""
