# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernels that guests boot: the one built for tests, and Debian's."""

import functools
import lzma
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from lib.scenario import expect

REPOSITORY = Path(__file__).resolve().parents[3]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dormouse"


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
def debian_kernel(series="6.12", modules=()):
    """Debian's newest cloud kernel of a series: another build, with KEXEC_JUMP off.

    modules: to load besides those that make the guest's disks appear.
    """
    folder = _debian_package(series)
    (image,) = folder.glob("boot/vmlinuz-*")
    return Kernel(image, _with_dependencies(folder, ["virtio_pci", "virtio_blk", *modules]))


def _debian_package(series):
    """The unpacked package, from the cache or the archive."""
    names = rf"^linux-image-{re.escape(series)}\.[0-9]+(\+deb12|-[0-9]+)-cloud-amd64$"
    search = subprocess.run(["apt-cache", "search", "--names-only", names], capture_output=True, text=True, check=True)
    packages = [line.split()[0] for line in search.stdout.splitlines()]
    expect(packages, f"apt-cache knows no Debian {series} cloud kernel; run apt-get update")
    package = max(packages, key=lambda name: [int(n) for n in re.findall(r"\d+", name)])
    folder = CACHE / package
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "-qq", "download", package], cwd=CACHE, check=True, stderr=subprocess.DEVNULL)
        (deb,) = CACHE.glob(f"{package}_*.deb")
        partial = CACHE / f"{package}.partial"
        subprocess.run(["rm", "-rf", partial], check=True)
        subprocess.run(["dpkg-deb", "-x", deb, partial], check=True)
        deb.unlink()
        partial.rename(folder)
    return folder


def _module_name(path):
    return path.name.split(".")[0].replace("-", "_")


def _with_dependencies(folder, names):
    """The modules' contents, each after those it depends on. The package has no modules.dep."""
    (listing,) = folder.glob("lib/modules/*/modules.builtin")
    builtin = {_module_name(Path(line)) for line in listing.read_text().splitlines()}
    files = {_module_name(p): p for pattern in ("*.ko", "*.ko.xz") for p in folder.glob(f"lib/modules/**/{pattern}")}
    ordered = {}

    def add(name):
        if name in ordered or name in builtin:
            return
        expect(name in files, f"{folder.name} has no module {name}")
        content = files[name].read_bytes()
        if files[name].suffix == ".xz":
            content = lzma.decompress(content)
        for depends in re.findall(rb"\0depends=([^\0]*)\0", content):
            for other in filter(None, depends.decode().split(",")):
                add(other.replace("-", "_"))
        ordered[name] = content

    for name in names:
        add(name)
    return list(ordered.items())
