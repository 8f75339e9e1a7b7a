"""HTTP, and nothing but HTTP. Read `app`, `auth`, `problems`, `schemas`, then a router per resource."""
