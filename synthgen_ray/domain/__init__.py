"""What we talk about. Read `lifecycle`, `entities`, `params`, `columns`, then `errors`."""
