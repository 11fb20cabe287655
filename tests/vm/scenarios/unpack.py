# SPDX-License-Identifier: GPL-3.0-or-later
"""A hibernated guest's image as a memory dump."""

import subprocess

from lib import kdump
from lib.guest import BUILD, make_guest
from lib.scenario import expect, scenario
from lib.session import Session, hibernate, resume
from scenarios.window import find_places, window_over


@scenario("unpack", limit=400)
def unpack(out):
    """an image, unpacked, is the host's memory as the host saw it, windows too; and it resumes all the same"""
    m = make_guest(out)
    m.start()
    m.ready_wait()
    session = Session(m)
    # Without the pages under the window nothing can be found: it lies over the array of struct page.
    base = window_over(m, find_places(m)["vmemmap"])
    expect(base is not None, "no window can hold the vmemmap")
    m.run(f"echo 'window = {base:#x}' >>/etc/dormouse.conf; echo 'swapped from {base:#x}' >/tmp/sign")
    command = hibernate(m)
    dump = out / "dump.elf"
    done = subprocess.run([BUILD / "dormouse", "unpack", out / "target.img", dump], capture_output=True, text=True)
    expect(done.returncode == 0 and not done.stderr, f"unpack exited {done.returncode}: {done.stderr}")
    again = subprocess.run([BUILD / "dormouse", "pack", dump, out / "again.img"], capture_output=True, text=True)
    expect(again.returncode == 0 and not again.stderr, f"pack of the dump exited {again.returncode}: {again.stderr}")
    # makedumpfile walks the host's page tables and struct pages, and drops what is user space, cache, zero or free.
    kernel = kdump.make(dump, out / "kernel.kdump", "-d", "31", "-l")
    expect(kernel.stat().st_size > 4 << 20, f"makedumpfile kept only {kernel.stat().st_size} bytes")
    found = subprocess.run(["grep", "-c", "-a", f"swapped from {base:#x}", dump], capture_output=True, text=True)
    expect(found.returncode == 0, "a file of the guest's tmpfs is not in the dump")
    dump.unlink()
    resume(m, command)
    session.check()
    m.shut_down()
