"""On which databases tests run: SQLite, unless they ask for others. TEST_DATABASE=postgresql runs all on PostgreSQL."""

import os

import pytest

DEFAULT_DATABASE = os.environ.get("TEST_DATABASE", "sqlite")
# For a test or a module; its `store` or `server` is then of either.
on_both_databases = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
