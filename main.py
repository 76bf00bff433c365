"""Patches the process, then hands over to the commands; nothing else lives here.

First of all, before anything that takes time: what a signal does meanwhile, and that no file or socket takes a standard stream's place.
"""

import os
import signal
import warnings

if os.getpid() == 1:  # in a container: for the first process the system does nothing by itself
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: os._exit(128 + number))
else:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while modules load is no error to trace

while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # it was closed (2>&-), and what is opened next would get what is said there
    os.set_inheritable(descriptor, True)
os.close(descriptor)

warnings.filterwarnings("ignore", message="\\s*Eventlet is deprecated")
os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")  # names are the machine's business: web.runtime asks it, in a thread
import eventlet  # noqa: E402  (the warning filter must stand before it)

eventlet.monkey_patch()

from cli import main  # noqa: E402  (everything else must be imported after the patch)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main()
