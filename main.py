"""Patches the process, then hands over to the commands; nothing else lives here."""

import warnings

warnings.filterwarnings("ignore", message="\\s*Eventlet is deprecated")
import eventlet  # noqa: E402  (the warning filter must stand before it)

eventlet.monkey_patch()

from ticker.cli import main  # noqa: E402  (everything else must be imported after the patch)

if __name__ == "__main__":
    main()
