"""JSON in and out, a file per resource; `common` first."""
