/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "jump/lockedpages.h"

#include "base/io.h"
#include "base/util.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

/* Documentation/admin-guide/mm/pagemap.rst */
#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_PFN	((1ull << 55) - 1)

err_t lockedpages_create(size_t count, uint8_t **out)
{
	size_t n = count * PAGE_BYTES;
	uint8_t *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return err_errno("mapping %zu locked pages", count);
	/* Small pages, each our own: never part of a huge page that may be split. */
	madvise(p, n, MADV_NOHUGEPAGE);
	madvise(p, n, MADV_DONTFORK);
	if (mlock(p, n)) {
		err_t e = err_errno("locking %zu pages", count);

		munmap(p, n);
		return e;
	}
	memset(p, 0, n);
	*out = p;
	return NULL;
}

err_t lockedpages_where(const uint8_t *pages, size_t count, uint64_t *physical)
{
	CLEANUP_CLOSE int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno("opening /proc/self/pagemap");
	for (size_t i = 0; i < count; i++) {
		uint64_t entry, at = ((uint64_t)pages >> PAGE_BITS) + i;

		TRY(io_pread(fd, &entry, sizeof(entry), at * sizeof(entry), "/proc/self/pagemap"));
		if (!(entry & PAGEMAP_PRESENT) || !(entry & PAGEMAP_PFN))
			return err_new(ERR_REFUSED, "/proc/self/pagemap does not tell where pages "
						    "are (not root?)");
		physical[i] = (entry & PAGEMAP_PFN) << PAGE_BITS;
	}
	return NULL;
}
