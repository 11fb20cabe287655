# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine's TPM: swtpm beside QEMU, for as long as that runs. What it keeps in between is in a folder."""

import shutil
import socket
import subprocess


class Tpm:
    def __init__(self, folder, model):
        """model: QEMU's device, tpm-crb or tpm-tis."""
        self.folder, self.model = folder, model
        self.folder.mkdir()

    def start(self):
        """Returns QEMU's arguments, and the socket that it inherits."""
        qemu, own = socket.socketpair()
        command = ["setpriv", "--pdeathsig", "KILL", "swtpm", "socket", "--tpm2", "--terminate"]
        command += ["--tpmstate", f"dir={self.folder}", "--ctrl", f"type=unixio,clientfd={own.fileno()}"]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(own.fileno(),)
            )
        own.close()
        arguments = ["-chardev", f"socket,id=tpm,fd={qemu.fileno()}", "-tpmdev", "emulator,id=tpm,chardev=tpm"]
        return [*arguments, "-device", f"{self.model},tpmdev=tpm"], qemu

    def wait(self):
        """QEMU has ended, so it ends; unless they never met."""
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def exchange(self):
        """While the machine is off: another one, that has never seen anything."""
        shutil.rmtree(self.folder)
        self.folder.mkdir()
