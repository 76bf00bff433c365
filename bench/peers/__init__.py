"""The servers that ours is measured against, each as its own documentation would have it written.

All take `--port`, `--symbols` and `--template` (the JSON of one quote), send nothing until standard input says `rate HZ`, then
emit a quote of every symbol HZ times a second (`rate 0` pauses), and end with standard input.
"""
