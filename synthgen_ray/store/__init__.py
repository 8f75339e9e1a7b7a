"""The truth, in SQL. Read `tables` (the schema), `sessions`, then the queries by resource:
`projects`, `datasets`, `models`, `jobs`, `keys`; `store` puts them together."""
