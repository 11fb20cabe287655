/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "jump/kexec.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

err_t kexec_load_segments(uint64_t entry, const struct kexec_segment *segments, size_t count,
			  unsigned long flags)
{
	if (!syscall(SYS_kexec_load, entry, count, segments, KEXEC_ARCH_X86_64 | flags))
		return NULL;
	switch (errno) {
	case EPERM:
		return err_new(ERR_REFUSED, "kexec_load: not permitted (not root, the kernel is "
					    "locked down, or kernel.kexec_load_disabled is set)");
	case ENOSYS:
		return err_new(ERR_REFUSED,
			       "kexec_load: this kernel is built without CONFIG_KEXEC");
	case EBUSY:
		return err_new(ERR_REFUSED, "kexec_load: somebody else is loading a kernel");
	case EADDRNOTAVAIL:
		return err_new(ERR_REFUSED,
			       "kexec_load: the kernel does not accept these addresses");
	default:
		return err_errno("kexec_load");
	}
}
