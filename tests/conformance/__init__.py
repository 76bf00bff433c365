"""Conformance to Engine.IO protocol 4, Socket.IO protocol 5 and RFC 6455, checked from outside against a server in a process of its own."""
