# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Debian on an encrypted LVM, as its installer lays out a laptop: systemd, udev, cryptsetup and lvm2 as packaged,
booted with the initramfs that its own update-initramfs has made.

The installed disk is cached, without Dormouse; scenarios work on a copy, and install there what was built.
"""

import fcntl
import functools
import hashlib
import shutil
import struct
import subprocess
from pathlib import Path

from lib import disk
from lib.guest import BUILD, GUEST, workload
from lib.kernels import CACHE, REPOSITORY, Kernel
from lib.qemu import Boot, Machine
from lib.scenario import expect

PACKAGES = (
    "systemd-sysv,udev,dbus,libpam-systemd,initramfs-tools,cryptsetup-initramfs,lvm2,busybox,zstd,e2fsprogs,kmod,fdisk,procps,"
    "libarchive13,libblkid1,libcryptsetup12,libext2fs2,liblz4-1,liblzo2-2,libssl3,liburing2,libzstd1"
)
HERE = GUEST / "debian"
LUKS_PASSPHRASE = "open-sesame"
LUKS_PROMPT = "unlock disk vda2_crypt"
ROOT, SWAP = "/dev/mapper/debian--vg-root", "/dev/mapper/debian--vg-swap_1"
DISK_MIB = 3400
BOOT_START = 1 << 20  # the first partition


@functools.cache
def kernel():
    """kernel.config and what systemd needs besides."""
    config = BUILD / "vm/kernel-debian.config"
    config.parent.mkdir(parents=True, exist_ok=True)
    parts = ("tests/vm/kernel.config", "tests/vm/kernel-debian.config")
    config.write_text("".join((REPOSITORY / part).read_text() for part in parts))
    result = subprocess.run(
        [REPOSITORY / "imagewriter/build-kernel", "debian", config], stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    expect(result.returncode == 0, "the kernel for Debian cannot be built")
    return Kernel(Path(result.stdout.strip()) / "bzImage")


@functools.cache
def release():
    """What `uname -r` says there; kernel source: Documentation/arch/x86/boot.rst, kernel_version."""
    image = kernel().image.read_bytes()
    (at,) = struct.unpack_from("<H", image, 0x20E)
    return image[at + 0x200 :].split(b" ")[0].decode()


def _make_overlay(tree):
    """What the packages do not bring: the harness's shell and programs, and a kernel without modules."""
    for name in ("install", "channel"):
        _put(HERE / name, tree / "usr/local/sbin" / name)
    _put(HERE / "channel.service", tree / "etc/systemd/system/channel.service")
    _put(workload(), tree / "usr/local/bin/workload")
    for applet in ("usleep", "killall"):
        (tree / "usr/local/bin" / applet).symlink_to("/bin/busybox")
    _put(kernel().image, tree / f"boot/vmlinuz-{release()}")
    _put(kernel().image.with_name("config"), tree / f"boot/config-{release()}")
    modules = tree / "lib/modules" / release()
    modules.mkdir(parents=True)
    for name in ("modules.order", "modules.builtin"):
        (modules / name).touch()
    (tree / "etc/hostname").write_text("restful\n")


def _put(source, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, path)


def _bootstrap(folder):
    """The Debian that installs itself, as an ext4 image; from the archive."""
    overlay, tree = folder / "overlay", folder / "tree"
    _make_overlay(overlay)
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}"]
    command += [f"--customize-hook=tar -C {overlay} -cf - usr lib boot etc | tar -C \"$1\" --keep-directory-symlink -xf -"]
    command += [f'--customize-hook=chroot "$1" sh -ec "depmod {release()}; systemctl -q enable channel; passwd -q -d root"']
    with open(folder / "mmdebstrap.log", "w") as log:
        done = subprocess.run([*command, "bookworm", tree], stdout=log, stderr=log)
    expect(done.returncode == 0, f"mmdebstrap failed, see {folder}/mmdebstrap.log")
    return disk.make_ext4(folder / "installer.img", 900, tree)


def _install(folder, root):
    """Boots it, and lets it install itself on the disk that is kept."""
    nothing = folder / "empty.cpio"
    with open(nothing, "wb") as f:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], stdin=subprocess.DEVNULL, stdout=f, check=True)
    append = f"rw init=/usr/local/sbin/install -- {LUKS_PASSPHRASE} {release()}"
    m = Machine(folder, Boot(kernel().image, nothing, append, 1024), root, disk.make_blank(folder / "disk.img", DISK_MIB))
    m.start()
    m.console_wait("^install: done", 600)
    m.exit_wait(60)


@functools.cache
def installed():
    """The installed disk's image, from the cache or made."""
    sources = [Path(__file__), *sorted(HERE.iterdir()), GUEST / "workload.c"]
    content = b"".join(path.read_bytes() for path in sources) + str(kernel().image).encode()
    folder = CACHE / f"debian-{hashlib.sha256(content).hexdigest()[:16]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "debian.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            _install(partial, _bootstrap(partial))
            for name in ("overlay", "tree"):
                shutil.rmtree(partial / name)
            (partial / "installer.img").unlink()
            partial.rename(folder)
    return folder / "disk.img"


def _make_package(out):
    """What `make install` installs, as a disk."""
    tree = out / "package"
    subprocess.run(["make", "-s", "-C", REPOSITORY, "install", f"DESTDIR={tree}"], check=True)
    image = disk.make_ext4(out / "package.img", 64, tree)
    shutil.rmtree(tree)
    return image


class Debian(Machine):
    """That machine. Each start boots what its /boot has then, as a boot loader would."""

    def __init__(self, out, *, mem=768, append="", **hardware):
        image = disk.copy(installed(), out / "disk.img")
        package = ["-drive", f"if=none,id=package,file={_make_package(out)},format=raw,read-only=on"]
        package += ["-device", "virtio-blk-pci,drive=package,addr=0x10"]  # after the disk
        boot = Boot(kernel().image, out / "initrd.img", append, mem)
        super().__init__(out, boot, image, image, disk="parts", extra=package, **hardware)
        self.root_device = ROOT

    def install(self):
        """`make install`."""
        self.run("mount -o ro /dev/vdb /mnt && cp -a /mnt/usr / && umount /mnt", 60)

    def start(self):
        where = f"{self.root}?offset={BOOT_START}"
        dump = f"dump /initrd.img-{release()} {self.boot.initramfs}"
        done = subprocess.run(["debugfs", "-R", dump, where], capture_output=True, text=True)
        expect(self.boot.initramfs.stat().st_size, f"/boot cannot be read: {done.stderr}")
        super().start()

    def unlock(self, timeout=120):
        """Types the disk's passphrase when cryptsetup's script asks for it."""
        self.prompt_wait(LUKS_PROMPT, timeout)
        self.send_console(LUKS_PASSPHRASE.encode() + b"\r")

    def boot_wait(self, timeout=240):
        """A boot as usual, until the harness's shell is there."""
        self.unlock()
        self.ready_wait(timeout)

    def shut_down(self, timeout=180):
        self.send("systemctl poweroff")
        reason = self.exit_wait(timeout)
        expect(reason == "guest-shutdown", f"shutting down ended by {reason}")
