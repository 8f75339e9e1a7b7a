"""How fast and how good, beside the packages that the models come from.

Read `rows` (what a row of the table is), `tables`, `stock` (the other side), then a group of rows: `preprocessing`,
`training`, `sampling`, `conditional`, `memory`, `quality`; `__main__` prints them. `scores` measures how like a table
generated rows are.
"""
