# SPDX-License-Identifier: GPL-3.0-or-later
"""Dumps of a guest's memory, as ELF core files: taking, reading, damaging and comparing them."""

import mmap
import struct
from collections import Counter

from lib.disk import copy
from lib.scenario import expect

# A guest whose dump shall have a VMCOREINFO note needs this device, and where its driver is a module, that.
DEVICE = ("-device", "vmcoreinfo")
MODULE = "qemu_fw_cfg"

PAGE = 4096
ZEROS = bytes(PAGE)
EHDR, PHDR = 64, 56  # sizes in ELF64
PT_LOAD, PT_NOTE = 1, 4


def take(machine, path, timeout=300):
    """QEMU's dump of the machine, which stands still meanwhile."""
    said = machine.monitor(f"dump-guest-memory {path}", timeout).strip()
    expect(not said, f"dump-guest-memory: {said}")
    path.chmod(0o600)  # QEMU leaves it read-only
    with Dump(path) as dump:
        expect(dump.vmcoreinfo, "QEMU's dump has no VMCOREINFO note: did the guest load its driver for fw_cfg?")


def put_headers_first(path):
    """Moves the program headers to the end of the ELF header, over the section header that QEMU 7.2 puts there.

    makedumpfile 1.7.2 looks for them nowhere else. All other parts of the dump stay where they are.
    """
    with open(path, "r+b") as f:
        header = bytearray(f.read(EHDR))
        (at,) = struct.unpack_from("<Q", header, 32)
        (count,) = struct.unpack_from("<H", header, 56)
        f.seek(at)
        programs = f.read(count * PHDR)
        struct.pack_into("<QQ", header, 32, EHDR, 0)  # e_phoff, e_shoff
        struct.pack_into("<HHH", header, 58, 0, 0, 0)  # e_shentsize, e_shnum, e_shstrndx
        f.seek(0)
        f.write(header + programs + bytes(at - EHDR))


class Dump:
    """A dump open for reading."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.bytes = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
        expect(self.bytes[:4] == b"\x7fELF", f"{path} is not ELF")
        self.loads = []  # (first pfn, pages, offset in the file), whole pages only
        self.vmcoreinfo = None  # (offset, length) of the note's text
        self.notes = None  # (offset, length) of all notes
        (at,) = struct.unpack_from("<Q", self.bytes, 32)
        size, count = struct.unpack_from("<HH", self.bytes, 54)
        for i in range(count):
            kind, _, offset, _, physical, length = struct.unpack_from("<IIQQQQ", self.bytes, at + i * size)
            if kind == PT_LOAD:
                self.loads.append((physical // PAGE, length // PAGE, offset))
            elif kind == PT_NOTE:
                self.notes = (offset, length)
                self._read_notes(offset, length)

    def _read_notes(self, offset, length):
        end = offset + length
        while offset + 12 <= end:
            name, text, _ = struct.unpack_from("<III", self.bytes, offset)
            text_at = offset + 12 + (name + 3) // 4 * 4
            if self.bytes[offset + 12 : offset + 12 + name] == b"VMCOREINFO\0":
                self.vmcoreinfo = (text_at, text)
            offset = text_at + (text + 3) // 4 * 4

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.bytes.close()

    def pages(self):
        """Page number and offset in the file of each page."""
        for first, count, offset in self.loads:
            for n in range(count):
                yield first + n, offset + n * PAGE

    def page(self, pfn):
        """The content of a page; None if the dump has no such page."""
        for first, count, offset in self.loads:
            if first <= pfn < first + count:
                at = offset + (pfn - first) * PAGE
                return self.bytes[at : at + PAGE]
        return None


def write_without_note(source, path):
    """A copy whose VMCOREINFO note has another name, which nobody knows."""
    _write_edited(source, path, b"VMCOREINFO\0", b"VMCOREINFX\0")


def write_without_line(source, path, line):
    """A copy whose vmcoreinfo lacks the line that begins so: it begins otherwise."""
    _write_edited(source, path, b"\n" + line, b"\n!" + line[1:])


def _write_edited(source, path, old, new):
    """A copy with one place of its notes edited."""
    copy(source, path)
    with Dump(source) as dump:
        offset, length = dump.notes
        notes = dump.bytes[offset : offset + length]
    expect(notes.count(old) == 1, f"{old} is {notes.count(old)} times in the notes of {source.name}")
    with open(path, "r+b") as f:
        f.seek(offset)
        f.write(notes.replace(old, new))


def compare(source, copied, is_kept):
    """Counts the source's pages by what became of them in a copy that leaves out free pages; copied, source: Dumps.

    is_kept: of a page number, whether an independent judge calls the page worth keeping.
    zero: nothing to tell. same: worth keeping, and there. lost: worth keeping, and not there. left out: the judge
    would do so too. saved: the judge would not. wrong: there, with another content than in the source.
    """
    counts = Counter()
    for pfn, at in source.pages():
        ours, theirs = source.bytes[at : at + PAGE], copied.page(pfn)
        if theirs not in (ours, ZEROS):
            counts["wrong"] += 1
        elif ours == ZEROS:
            counts["zero"] += 1
        elif is_kept(pfn):
            counts["same" if theirs == ours else "lost"] += 1
        else:
            counts["saved" if theirs == ours else "left out"] += 1
    return counts
