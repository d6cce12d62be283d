"""For daemons of tests: another boot of the machine, and a clinic's own files elsewhere than in /etc."""

import os
from pathlib import Path

if boot := os.environ.get("ROOM_BOOT_ID"):
    from controller import clock

    clock.boot_id = lambda: boot
if own := os.environ.get("ROOM_OWN_FILES"):
    from controller.config import collection

    collection.OVERRIDES = Path(own)
