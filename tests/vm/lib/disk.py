# SPDX-License-Identifier: GPL-3.0-or-later
"""Disk images: making, damaging, copying and checking them."""

import os
import struct
import subprocess
from pathlib import Path

from lib.scenario import expect


def make_blank(path, mib):
    """A sparse image full of zeros."""
    with open(path, "wb") as f:
        f.truncate(mib * 1024 * 1024)
    return path


def make_ext4(path, mib, content=None):
    """An image with an ext4 filesystem on the bare disk, holding a copy of the folder content."""
    make_blank(path, mib)
    options = ["-d", content] if content else []
    subprocess.run(
        ["mke2fs", "-q", "-F", "-t", "ext4", "-E", "root_owner=0:0", *options, path], check=True, stdout=subprocess.DEVNULL
    )
    return path


def check_ext4(path, offset=0):
    """The filesystem is clean: nothing to repair, nothing left in the journal."""
    what = f"{path}?offset={offset}" if offset else path
    result = subprocess.run(["e2fsck", "-fn", what], capture_output=True, text=True)
    (Path(path).parent / "e2fsck.log").write_text(result.stdout + result.stderr)
    expect(result.returncode == 0, f"e2fsck -fn of {Path(path).name} exited {result.returncode}, see e2fsck.log")


def make_parts(path, parts):
    """An image with an MBR whose partitions hold the images `parts`, each from a whole MiB on; returns where they begin."""
    starts, at = [], 1 << 20
    make_blank(path, 1 + sum(Path(part).stat().st_size >> 20 for part in parts))
    with open(path, "r+b") as f:
        for number, part in enumerate(parts):
            size = Path(part).stat().st_size
            f.seek(446 + 16 * number)
            f.write(struct.pack("<B3xB3xII", 0, 0x83, at // 512, size // 512))
            with open(part, "rb") as content:
                for start, end in data_ranges(part):
                    content.seek(start)
                    f.seek(at + start)
                    f.write(content.read(end - start))
            starts.append(at)
            at += size
        f.seek(510)
        f.write(b"\x55\xaa")
    return starts


def copy(source, destination):
    """A copy that stays sparse."""
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", source, destination], check=True)
    return destination


def data_ranges(path):
    """The (start, end) of what has been written to a sparse image, in bytes."""
    ranges = []
    with open(path, "rb") as f:
        end = 0
        size = os.fstat(f.fileno()).st_size
        while end < size:
            try:
                start = os.lseek(f.fileno(), end, os.SEEK_DATA)
            except OSError:  # ENXIO: only a hole is left
                break
            end = os.lseek(f.fileno(), start, os.SEEK_HOLE)
            ranges.append((start, end))
    return ranges


def overwrite(path, offset, length):
    """Inverts every bit of a range, so that it differs from whatever was there."""
    with open(path, "r+b") as f:
        f.seek(offset)
        old = f.read(length)
        f.seek(offset)
        f.write(bytes(b ^ 0xFF for b in old))


def digest(path):
    return subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout.split()[0]
