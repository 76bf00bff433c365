"""Measures the fan-out of this server beside its peers, in one run on one machine. See `bench/README.md`."""
