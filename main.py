"""Patches the process, then hands over to the commands; nothing else lives here."""

import os
import signal
import warnings

signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while modules load is no error to trace

warnings.filterwarnings("ignore", message="\\s*Eventlet is deprecated")
os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")  # names are the machine's business: web.runtime asks it, in a thread
import eventlet  # noqa: E402  (the warning filter must stand before it)

eventlet.monkey_patch()

from ticker.cli import main  # noqa: E402  (everything else must be imported after the patch)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main()
