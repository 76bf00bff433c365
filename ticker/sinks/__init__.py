"""Where quotes go besides clients: lines on a pipe, and recordings. No I/O: bytes are made here and written elsewhere."""
