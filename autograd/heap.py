"""Freed memory is kept for the next arrays, which the C library would give back to the system.

A graph's arrays are freed together, and glibc then returns the end of its heap, so that the next step waits for the
system to clear its pages again: arrays of 32 kB to 1 MB took up to 30 times as long, measured on a virtual machine.
"""

import ctypes
import os
import sys

TOP_PAD = -2  # glibc's number for the free bytes at the end of the heap that are kept
KEPT = 64 << 20
MMAP_THRESHOLD = -3  # and for the bytes from which on an array has pages of its own, which are never kept
LARGEST = 32 << 20  # to which glibc would raise that by itself, had we not set the other


def keep_freed_memory() -> None:
    """Let this process keep 64 MB of what it frees, with glibc; MALLOC_... in the environment goes before."""
    if sys.platform == "linux" and "MALLOC_TOP_PAD_" not in os.environ:
        adjust = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
        if adjust:
            adjust(TOP_PAD, KEPT)
            if "MALLOC_MMAP_THRESHOLD_" not in os.environ:
                adjust(MMAP_THRESHOLD, LARGEST)
