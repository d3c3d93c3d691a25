"""Runs a stack of fake programs in the foreground, as `slotkeeper dev` does.

run_stack.py HOME FAULTS [--stop-with-parent]
"""

import os
import sys
from pathlib import Path

from adapters.local_stack.errors import LocalStackError
from adapters.local_stack.foreground import run_in_foreground
from tests.adapters.local_stack.stacks import TestStack

if __name__ == "__main__":
    parent = os.getppid() if "--stop-with-parent" in sys.argv else None
    try:
        run_in_foreground(TestStack(Path(sys.argv[1]), sys.argv[2]).config, parent)
    except LocalStackError as error:
        sys.exit(str(error))
