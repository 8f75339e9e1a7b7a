"""Ray, and nothing but Ray. Read `local` (start and stop), `actors`, `app`, `sampler`, `launcher`, `train`."""
