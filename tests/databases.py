"""Each of these tests runs on an empty SQLite, and on a PostgreSQL that was migrated before."""

import pytest

DATABASES = ("sqlite", "postgresql")
# For a test or a module; its `store` or `server` is then of either.
on_both_databases = pytest.mark.parametrize("database_url", DATABASES, indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
