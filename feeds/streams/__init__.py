"""What streams have in common: a connection, what is said over it, and what trades make of a price."""
