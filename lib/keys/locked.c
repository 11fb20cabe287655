/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "keys/locked.h"

#include "base/util.h"

#include <string.h>
#include <sys/mman.h>

err_t locked_create(size_t n, void **out)
{
	size_t whole = align_up(n, PAGE_BYTES);
	void *p = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return err_errno("mapping memory for a secret");
	/* Kernels without them (built with CONFIG_ADVISE_SYSCALLS=n) still lock it. */
	madvise(p, whole, MADV_DONTDUMP);
	madvise(p, whole, MADV_WIPEONFORK);
	if (mlock(p, whole)) {
		err_t e = err_errno("locking memory for a secret");

		munmap(p, whole);
		return e;
	}
	*out = p;
	return NULL;
}

void locked_destroy(void *p, size_t n)
{
	if (!p)
		return;
	explicit_bzero(p, align_up(n, PAGE_BYTES));
	munmap(p, align_up(n, PAGE_BYTES));
}
