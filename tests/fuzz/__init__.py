"""Every parser, fed with whatever a fuzzer thinks of: `python -m tests.fuzz [TARGET …] --seconds 20`, or `make fuzz SECONDS=20`."""
