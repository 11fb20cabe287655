/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/checks/check.h"

#include "base/io.h"
#include "base/util.h"
#include "host/checks/freefill.h"

#include <errno.h>
#include <linux/kexec.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* kernel source: include/linux/proc_ns.h */
#define PROC_PID_INIT_INO 0xEFFFFFFCu

#define TAINT_WARN (1ul << 9)

/* A small file's text without its newline; NULL when it cannot be read. */
static char *read_line(const char *path)
{
	char *text = NULL;
	size_t n;
	err_t e = io_read_file(path, 65536, &text, &n);

	err_free(e);
	if (!e)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

void check_kernel_root(const struct preflight *p, struct finding *out)
{
	if (p->root)
		finding_set(out, FINDING_OK, "running as root");
	else
		finding_set(out, FINDING_REFUSE, "this must run as root");
}

/* reboot(2) in another PID namespace ends that namespace, not more. */
void check_kernel_namespace(const struct preflight *p, struct finding *out)
{
	struct stat st;

	(void)p;
	if (stat("/proc/self/ns/pid", &st) || st.st_ino == PROC_PID_INIT_INO)
		finding_set(out, FINDING_OK, "not in a container");
	else
		finding_set(
			out, FINDING_REFUSE,
			"this runs in a container (a PID namespace); run it on the machine itself");
}

void check_kernel_lockdown(const struct preflight *p, struct finding *out)
{
	CLEANUP_FREE char *text = read_line("/sys/kernel/security/lockdown");

	(void)p;
	if (!text || strstr(text, "[none]"))
		finding_set(out, FINDING_OK, "the kernel is not locked down");
	else
		finding_set(
			out, FINDING_REFUSE,
			"the kernel is locked down (%s), so it refuses kexec_load and hibernation; "
			"Secure Boot does that, or lockdown= on the kernel's command line",
			text);
}

/* What kexec_load says to one segment at an address that cannot be read: its
 * errno. Nothing is loaded or unloaded (kernel/kexec.c: the checks of rights
 * and flags come first, then the segments are copied from user space). */
static int ask_kexec(unsigned long flags)
{
	return syscall(SYS_kexec_load, 0UL, 1UL, NULL, KEXEC_ARCH_DEFAULT | flags) ? errno : 0;
}

/* Each call is counted where a limit is set, ours that only ask as well. */
static bool kexec_is_limited(void)
{
	CLEANUP_FREE char *limit = read_line("/proc/sys/kernel/kexec_load_limit_reboot");

	return limit && strcmp(limit, "-1") != 0;
}

void check_kernel_kexec(const struct preflight *p, struct finding *out)
{
	CLEANUP_FREE char *disabled = read_line("/proc/sys/kernel/kexec_load_disabled");
	int no;

	if (disabled && strcmp(disabled, "0")) {
		finding_set(
			out, FINDING_REFUSE,
			"kernel.kexec_load_disabled is set; only a reboot without it changes that");
		return;
	}
	if (kexec_is_limited()) {
		finding_set(out, FINDING_REFUSE,
			    "kernel.kexec_load_limit_reboot is set, and loading the "
			    "writer takes several calls; only a reboot changes that");
		return;
	}
	if (!p->root) {
		finding_set(out, FINDING_SKIP, "only root can ask the kernel");
		return;
	}
	no = ask_kexec(0);
	if (no == EFAULT)
		finding_set(out, FINDING_OK, "kexec_load is allowed");
	else if (no == ENOSYS)
		finding_set(out, FINDING_REFUSE, "this kernel is built without CONFIG_KEXEC");
	else
		finding_set(out, FINDING_REFUSE, "kexec_load is refused: %s (a security module?)",
			    strerror(no));
}

/*
 * A kernel without CONFIG_KEXEC_JUMP does not know the flag: it is left out of
 * KEXEC_FLAGS (include/linux/kexec.h), so that kexec_load_check() says EINVAL
 * before anything is looked at. With a kernel that took the flag and then did a
 * plain kexec the session would be lost, so this is asked of the running kernel,
 * not of a configuration file.
 */
void check_kernel_jump(const struct preflight *p, struct finding *out)
{
	int plain, jump;

	if (!p->root || kexec_is_limited()) {
		finding_set(out, FINDING_SKIP, "the kernel cannot be asked");
		return;
	}
	plain = ask_kexec(0);
	if (plain != EFAULT) { /* refused above */
		finding_set(out, FINDING_SKIP, "the kernel cannot be asked");
		return;
	}
	jump = ask_kexec(KEXEC_PRESERVE_CONTEXT);
	if (jump == EFAULT)
		finding_set(out, FINDING_OK, "this kernel has KEXEC_JUMP");
	else if (jump == EINVAL)
		finding_set(out, FINDING_REFUSE,
			    "this kernel is built without CONFIG_KEXEC_JUMP, so it "
			    "cannot jump into the writer and back");
	else
		finding_set(out, FINDING_REFUSE,
			    "cannot tell whether this kernel has KEXEC_JUMP: "
			    "kexec_load says \"%s\"",
			    strerror(jump));
}

void check_kernel_hibernation(const struct preflight *p, struct finding *out)
{
	CLEANUP_FREE char *disk = read_line("/sys/power/disk");
	struct stat st;

	if (!disk)
		finding_set(out, FINDING_REFUSE,
			    "this kernel is built without CONFIG_HIBERNATION "
			    "(there is no /sys/power/disk)");
	else if (cmdline_find(p->cmdline, "nohibernate", NULL, 0))
		finding_set(out, FINDING_REFUSE, "the kernel was booted with nohibernate");
	else if (strstr(disk, "[disabled]"))
		finding_set(out, FINDING_REFUSE,
			    "the kernel does not allow hibernation: a process holds secret memory "
			    "(memfd_secret), or there is CXL memory, or the kernel is locked down");
	else if (stat("/dev/snapshot", &st) || !S_ISCHR(st.st_mode))
		finding_set(out, FINDING_REFUSE,
			    "there is no /dev/snapshot: the kernel is built without "
			    "CONFIG_HIBERNATION_SNAPSHOT_DEV, or nobody made the device");
	else
		finding_set(out, FINDING_OK, "the kernel allows hibernation");
}

/*
 * The host's kernel warns once after each return (host/freeze.c), which taints it. Should that
 * taint be among those of panic_on_taint= it panics, in add_taint() (kernel source:
 * kernel/panic.c); nothing takes that back while it runs. So does any later taint, if it had
 * warned before it read its command line. Read as the kernel does: hexadecimal up to a comma.
 */
void check_kernel_taint(const struct preflight *p, struct finding *out)
{
	char value[64];
	unsigned long taints = 0;
	char *end;

	if (cmdline_find(p->cmdline, "panic_on_taint", value, sizeof(value))) {
		value[strcspn(value, ",")] = '\0';
		taints = strtoul(value, &end, 16);
		if (*end)
			taints = 0;
	}
	if (taints & TAINT_WARN)
		finding_set(out, FINDING_REFUSE,
			    "the kernel was booted with panic_on_taint=%s, which makes it panic "
			    "when it warns (0x200), and it warns when the session comes back",
			    value);
	else
		finding_set(out, FINDING_OK, "a warning of the kernel's does not end it");
}

void check_kernel_free_fill(const struct preflight *p, struct finding *out)
{
	if (p->host_error[0])
		finding_set(out, FINDING_SKIP, "not known");
	else
		finding_set(out, FINDING_OK, "%s", freefill_text(p->host.free_fill));
}
