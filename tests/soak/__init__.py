"""What only time shows: `make soak MINUTES=10` runs the relay under load and faults, and prints a table of figures and bounds."""
