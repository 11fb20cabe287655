# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest that scenarios hibernate: its initramfs, root filesystem and machine."""

import functools
import re
import shutil
import subprocess
from pathlib import Path

from lib import disk
from lib.kernels import REPOSITORY, test_kernel
from lib.qemu import DISKS, Boot, Machine

BUILD = REPOSITORY / "build"
GUEST = REPOSITORY / "tests/vm/guest"
UNLOCK_NEEDS = REPOSITORY / "initramfs/unlock-needs"
PROGRAMS = ["dormouse", "dormouse-resume", "dormouse-unlock", "imagewriter", "writer.vmlinux.lz4", "writer.cpio"]
CFLAGS = ["-std=gnu17", "-O2", "-Wall", "-Wextra", "-Wshadow", "-Wmissing-prototypes", "-Werror", "-static"]


def missing_programs():
    return [name for name in PROGRAMS if not (BUILD / name).exists()]


@functools.cache
def workload():
    program, source = BUILD / "vm/workload", GUEST / "workload.c"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        program.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", *CFLAGS, "-o", program, source], check=True)
    return program


def _copy(source, tree, path):
    destination = tree / path.lstrip("/")
    destination.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, destination)


def _copy_program(source, tree, path):
    """With its libraries, and the one that threads look for when they end."""
    _copy(source, tree, path)
    libraries = subprocess.run(["ldd", source], capture_output=True, text=True, check=True)
    found = re.findall(r"(/\S+) \(0x", libraries.stdout)
    gcc = subprocess.run(["gcc", "-print-file-name=libgcc_s.so.1"], capture_output=True, text=True, check=True)
    for library in found:
        _copy(library, tree, library)
    _copy(gcc.stdout.strip(), tree, str(Path(found[0]).parent / "libgcc_s.so.1"))


def _make_tree(tree, conf, writer):
    """What initramfs and root filesystem have in common."""
    shutil.rmtree(tree, ignore_errors=True)
    for folder in ("bin", "sbin", "usr/bin", "usr/sbin", "usr/lib/dormouse", "etc", "proc", "sys", "dev", "run", "tmp", "root"):
        (tree / folder).mkdir(parents=True)
    _copy("/bin/busybox", tree, "/bin/busybox")
    applets = subprocess.run(["/bin/busybox", "--list-full"], capture_output=True, text=True, check=True)
    for applet in applets.stdout.split():
        if not (tree / applet).exists():
            (tree / applet).symlink_to("/bin/busybox")
    (tree / "etc/dormouse.conf").write_text(conf)
    if writer:
        for name in ("writer.vmlinux.lz4", "writer.cpio"):
            _copy(BUILD / name, tree, f"/usr/lib/dormouse/{name}")


def make_initramfs(path, conf, modules=(), *, writer=True, resume=True, unlock=False, init=GUEST / "boot-init"):
    """The initramfs of a boot: dormouse-resume and the writer, around them only busybox.

    unlock: and what opens encrypted images.
    """
    tree = path.with_suffix(".tree")
    _make_tree(tree, conf, writer)
    _copy(init, tree, "/init")
    (tree / "init").chmod(0o755)
    if resume:
        _copy(BUILD / "dormouse-resume", tree, "/usr/lib/dormouse/resume")
    if unlock:
        _copy_program(BUILD / "dormouse-unlock", tree, "/usr/lib/dormouse/unlock")
    for name, content in modules:
        (tree / f"{name}.ko").write_bytes(content)
    if modules:
        (tree / "modules.list").write_text("".join(f"/{name}.ko\n" for name, _ in modules))
    names = "\n".join(str(p.relative_to(tree)) for p in sorted(tree.rglob("*")))
    with open(path, "wb") as f:
        subprocess.run(
            ["cpio", "-o", "-H", "newc", "-R", "0:0", "--quiet"], cwd=tree, input=names.encode(), stdout=f, check=True
        )
    shutil.rmtree(tree)
    return path


def add_files(initramfs, files, programs=()):
    """Files for an initramfs, path: content, and programs of this machine, in an archive behind it; one that is there
    already is replaced."""
    tree = initramfs.with_suffix(".tree")
    shutil.rmtree(tree, ignore_errors=True)
    for name, content in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(content)
    for program in programs:
        _copy_program(program, tree, program)
    names = "\n".join(str(p.relative_to(tree)) for p in sorted(tree.rglob("*")))
    with open(initramfs, "ab") as f:
        subprocess.run(
            ["cpio", "-o", "-H", "newc", "-R", "0:0", "--quiet"], cwd=tree, input=names.encode(), stdout=f, check=True
        )
    shutil.rmtree(tree)
    return initramfs


def make_root(path, conf, next_initramfs, *, product=True, tools=(), mib=512):
    """The root filesystem's image: ext4 on the bare disk. tools: more programs of this machine."""
    tree = path.with_suffix(".tree")
    _make_tree(tree, conf, writer=product)
    (tree / "sbin/init").unlink()
    _copy(GUEST / "root-init", tree, "/sbin/init")
    _copy(workload(), tree, "/usr/bin/workload")
    _copy(next_initramfs, tree, "/boot/initrd.img")
    if product:
        _copy_program(BUILD / "dormouse", tree, "/usr/bin/dormouse")
    for tool in tools:
        _copy_program(tool, tree, tool)
    if tools:
        _copy(GUEST / "update-initramfs", tree, "/usr/sbin/update-initramfs")
        _copy(UNLOCK_NEEDS, tree, "/usr/lib/dormouse/unlock-needs")
    disk.make_ext4(path, mib, tree)
    shutil.rmtree(tree)
    return path


def configuration(target, *more):
    """Nobody is there to be asked, no key is set up, unless a scenario says otherwise: of two settings the last counts."""
    lines = ["# made by tests/vm", f"target = {target}", "initramfs = /boot/initrd.img"]
    return "\n".join([*lines, "encrypt = no", "resume_wait = 0", "resume_default = discard", *more, ""])


def make_guest(
    out, *, kernel=None, append="", mem=2048, target_mib=4096, next_initramfs=None, product=True, disk_kind="virtio",
    settings=(), unlock=False, tools=(), **hardware,
):  # fmt: skip
    """A machine ready to start.

    settings: more lines of its dormouse.conf.
    next_initramfs: what lies in the guest's /boot for the boot after hibernating, this boot's unless given.
    product=False: a guest without Dormouse.
    unlock: the initramfs can open encrypted images. tools: programs of this machine that the guest gets too.
    """
    kernel = kernel or test_kernel()
    conf = configuration(DISKS[disk_kind][1][1], *settings)
    initramfs = make_initramfs(out / "initramfs.cpio", conf, kernel.modules, writer=product, resume=product, unlock=unlock)
    root = make_root(out / "root.img", conf, next_initramfs or initramfs, product=product, tools=tools)
    target_image = disk.make_blank(out / "target.img", target_mib)
    return Machine(out, Boot(kernel.image, initramfs, append, mem), root, target_image, disk=disk_kind, **hardware)
