"""Copies of all that a server keeps, and servers made from them.

Read `manifest` (what a backup is), then `making`, `replacing` (which of two counts) and `restoring`.
"""
