"""SynthGen on Ray: learn a table, generate synthetic rows like it, at any scale."""
