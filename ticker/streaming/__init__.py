"""Keeps streams alive: connections that talk by themselves, their silence, and what was before their first word."""
