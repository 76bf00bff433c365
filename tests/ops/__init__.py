"""Tries by hand what needs programs that a clean machine does not have; not part of `make test`."""
