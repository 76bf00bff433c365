"""Socket.IO on the fan-out engine: handshakes, namespaces, and what clients may ask for."""
