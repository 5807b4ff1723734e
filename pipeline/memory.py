"""How much memory a process has held."""

from __future__ import annotations

import re
import sys
from pathlib import Path


def peak() -> int:
    """The most bytes of memory that this process has ever held, as the system tells it; 0 where it does not."""
    try:
        # since the program was started: getrusage also counts what the process was before that, a copy of its parent
        found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        found = None
    if found:
        return int(found[1]) << 10
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << (0 if sys.platform == "darwin" else 10)
