"""Polls feeds: when the next poll is due, which symbols it asks for, and what is done about those that spoil it."""
