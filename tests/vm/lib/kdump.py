# SPDX-License-Identifier: GPL-3.0-or-later
"""makedumpfile's judgement of a dump's pages, from the bitmaps of a file in its kdump-compressed format.

Its ELF files do not tell: there it leaves out only runs of at least 256 pages (PFN_EXCLUDED).
"""

import struct
import subprocess

from lib.scenario import expect

FREE, ZERO = 16, 1  # of the option -d: kinds of pages to leave out
# The firmware's ROM, below 4 GiB.
ROM = range(0xFFFC0, 0x100000)
ERRORS_ONLY = ("--message-level", "4")


def make(dump, path, *options, timeout=300):
    """Runs makedumpfile; options say which pages to leave out, and how to compress."""
    command = ["makedumpfile", *options, *ERRORS_ONLY, dump, path]
    result = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    expect(result.returncode == 0, f"makedumpfile exited {result.returncode}: {result.stdout}{result.stderr}".strip())
    return path


class Judgement:
    """Which pages a file of makedumpfile holds. Its formats: IMPLEMENTATION of makedumpfile, diskdump_mod.h."""

    def __init__(self, path):
        with open(path, "rb") as f:
            header = f.read(444)
            expect(header[:8] == b"KDUMP   ", f"{path} is not in the kdump-compressed format")
            block_bytes, sub_header_blocks, bitmap_blocks, self.pages = struct.unpack_from("<IIII", header, 428)
            f.seek(block_bytes * (1 + sub_header_blocks))
            each = bitmap_blocks * block_bytes // 2  # two bitmaps: pages there are, and pages in the file
            f.seek(each, 1)
            self.bits = f.read(each)

    def is_kept(self, pfn):
        """ROM too: makedumpfile leaves it out for want of struct pages, which does not make it free."""
        return pfn in ROM or pfn < self.pages and bool(self.bits[pfn >> 3] >> (pfn & 7) & 1)
