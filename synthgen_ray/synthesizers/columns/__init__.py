"""Table column <-> numbers, one file per kind of column. Read `codec` in the folder above first, then `category`,
`number` (with `forms`, `modes` and `marginal`), and the columns made afresh: `identifier`, `text`, `constant`."""
