# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernels that guests boot: the one built for tests, and Debian's."""

import functools
import lzma
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from lib.scenario import Failure, expect

REPOSITORY = Path(__file__).resolve().parents[3]


@dataclass
class Kernel:
    image: Path
    # Modules a guest needs to reach its disks, in the order to load them: name and content.
    modules: list[tuple[str, bytes]] = field(default_factory=list)


@functools.cache
def test_kernel():
    """Built once and cached; all it needs is built in."""
    result = subprocess.run(
        [REPOSITORY / "imagewriter/build-kernel", "test", REPOSITORY / "tests/vm/kernel.config"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    expect(result.returncode == 0, "the test kernel cannot be built")
    return Kernel(Path(result.stdout.strip()) / "bzImage")


@functools.cache
def debian_kernel():
    """The newest 6.12 cloud kernel of the archive: another build, with KEXEC_JUMP off."""
    search = subprocess.run(
        ["apt-cache", "search", "--names-only", r"^linux-image-6\.12\.[0-9]+\+deb12-cloud-amd64$"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    packages = [line.split()[0] for line in search.stdout.splitlines()]
    expect(packages, "apt-cache knows no Debian 6.12 cloud kernel; run apt-get update")
    package = max(packages, key=lambda name: [int(n) for n in re.findall(r"\d+", name)])
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dormouse"
    folder = cache / package
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "-qq", "download", package], cwd=cache, check=True, stderr=subprocess.DEVNULL)
        (deb,) = cache.glob(f"{package}_*.deb")
        partial = cache / f"{package}.partial"
        subprocess.run(["rm", "-rf", partial], check=True)
        subprocess.run(["dpkg-deb", "-x", deb, partial], check=True)
        deb.unlink()
        partial.rename(folder)
    (image,) = folder.glob("boot/vmlinuz-*")
    return Kernel(image, _with_dependencies(folder, ["virtio_blk"]))


def _with_dependencies(folder, names):
    """The modules' contents, each after those it depends on. The package has no modules.dep."""
    files = {p.name.split(".")[0].replace("-", "_"): p for p in folder.glob("lib/modules/**/*.ko.xz")}
    ordered = {}

    def add(name):
        if name in ordered or name not in files:  # not a file: built in
            return
        content = lzma.decompress(files[name].read_bytes())
        for depends in re.findall(rb"\0depends=([^\0]*)\0", content):
            for other in filter(None, depends.decode().split(",")):
                add(other.replace("-", "_"))
        ordered[name] = content

    for name in names:
        if name not in files:
            raise Failure(f"{folder.name} has no module {name}")
        add(name)
    return list(ordered.items())
