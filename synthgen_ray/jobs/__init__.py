"""What a job does, wherever it runs. Read `dispatcher`, then `train` and `generate`."""
