"""What the world sees: Flask app, Socket.IO, the fan-out engine, the page, and the eventlet runtime. Imports `ticker`, never `feeds`."""
