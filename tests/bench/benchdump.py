# SPDX-License-Identifier: GPL-3.0-or-later
"""The dump that tests/bench/pipeline works on: a guest of 3 GiB with more than one GiB of this machine's own files in
its page cache, and with processes that run or have ended. Made once and kept in the cache, one at a time."""

import hashlib
import os
import shutil
from pathlib import Path

from lib import disk, dumps
from lib.guest import GUEST, make_guest
from lib.kernels import CACHE, REPOSITORY, debian_kernel
from lib.qemu import kill_all
from lib.scenario import expect

MEM_MIB = 3072
FILES_MIB = 1400
FOLDERS = ("/usr/bin", "/usr/lib/x86_64-linux-gnu", "/usr/lib", "/usr/share")
LARGEST = 32 << 20  # a few huge files would make the content less mixed
RUNNING_MIB, ENDED_MIB = 200, 300  # half random, half compressible
LIMIT = 300  # seconds, of each step


def bench_dump():
    """The dump's path."""
    kernel = debian_kernel("6.12", (dumps.MODULE,))
    key = hashlib.sha256(kernel.image.read_bytes())
    for source in (Path(__file__), GUEST / "workload.c", GUEST / "root-init"):
        key.update(source.read_bytes())
    path = CACHE / f"bench-{key.hexdigest()[:16]}.dump"
    if not path.exists():
        print(f"making {path}: some minutes", flush=True)
        for old in CACHE.glob("bench-*.dump*"):
            old.unlink()
        partial = path.with_suffix(".dump.partial")
        try:
            _make(kernel, partial)
        finally:
            kill_all()
        partial.rename(path)
    return path


def _make(kernel, path):
    out = REPOSITORY / "build/bench/dump"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    m = make_guest(out, kernel=kernel, product=False, mem=MEM_MIB, target_mib=1, extra=dumps.DEVICE)
    files = out / "files"
    _copy_files(files)
    disk.make_ext4(m.target, FILES_MIB * 5 // 4, files)  # instead of an empty one
    shutil.rmtree(files)
    m.start()
    m.ready_wait(LIMIT)
    hog = "workload hog /run/{0} {1} >/run/{0}.log 2>&1 & while [ ! -e /run/{0} ]; do usleep 100000; done"
    m.run(hog.format("running", RUNNING_MIB), LIMIT)
    m.run("mkdir /tmp/files && mount -t ext4 -o ro /dev/vdb /tmp/files", LIMIT)
    m.run("find /tmp/files -type f | xargs cat >/dev/null", LIMIT)
    cached = int(m.run("awk '/^Cached/ { print int($2 / 1024) }' /proc/meminfo"))
    expect(cached >= 1024, f"only {cached} MiB of files are in the guest's page cache")
    m.run(hog.format("ended", ENDED_MIB) + "; kill $!; wait $! || :", LIMIT)
    dumps.take(m, path, LIMIT)
    m.kill()
    dumps.put_headers_first(path)
    shutil.rmtree(out)


def _copy_files(to):
    """FILES_MIB of this machine's files, the same ones as long as it has them."""
    to.mkdir()
    room, seen = FILES_MIB << 20, set()
    for folder in FOLDERS:
        for parent, folders, names in os.walk(folder):
            folders.sort()
            for name in sorted(names):
                path = Path(parent, name)
                if path.is_symlink() or not path.is_file() or path in seen:
                    continue
                size = path.stat().st_size
                if 0 < size <= min(LARGEST, room):
                    seen.add(path)
                    shutil.copyfile(path, to / f"{len(seen)}")
                    room -= size
    expect(room < 300 << 20, f"this machine has not {FILES_MIB} MiB of files under {' '.join(FOLDERS)}")
