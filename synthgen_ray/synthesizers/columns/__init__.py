"""Table column <-> numbers, one file per kind of column. Read `codec` in the folder above first, then `category`,
`number` (with `forms`, `modes`, `marginal`, and `heaps` and `endings` for last digits; `wrapped` where text holds the
numbers), and the columns made afresh:
`identifier` (with `shape`), `number_ids`, `text`, `constant`. `checks` says what cannot be learnt."""
