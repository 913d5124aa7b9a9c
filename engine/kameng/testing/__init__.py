"""Tools for tests of modules: a composed app on a real database, clients for both schemas, generated documents."""
