"""What `synthgen doctor` looks at. Read `finding`, then `examining`, then `machine`, `disks`, `stores`, `cluster`."""
