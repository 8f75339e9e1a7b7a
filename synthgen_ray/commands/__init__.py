"""The client's commands: the client with tables for people and JSON for machines. Read `tree`, `session`,
`server`, `lookup`, `options`, `arguments`, `output`, `progress`, then a file per resource."""

from synthgen_ray.commands.tree import register

__all__ = ["register"]
