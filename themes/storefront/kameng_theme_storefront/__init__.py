"""The default storefront theme: a folder of templates, documents and assets; no code."""
