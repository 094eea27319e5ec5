"""The tests of the product's wiring run on a real PostgreSQL."""

from tests.postgres import cluster, dsn, module_dsn, store, template

__all__ = ["cluster", "dsn", "module_dsn", "store", "template"]
