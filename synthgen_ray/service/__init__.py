"""The use cases, one method each. Read `service`, then a file per resource; `files` is what those with files share."""
