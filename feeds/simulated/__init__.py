"""Prices out of nothing, and faults by the clock."""
