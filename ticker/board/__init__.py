"""The board: which tick is believed, what is published of it, and for how long it holds. No I/O, no clock: the time is an argument."""
