/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "memory/devmem.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

err_t devmem_open(struct devmem *m, bool writable)
{
	m->writable = writable;
	m->fd = open("/dev/mem", (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (m->fd < 0)
		return err_errno("opening /dev/mem");
	return NULL;
}

void devmem_close(struct devmem *m)
{
	close(m->fd);
	m->fd = -1;
}

err_t devmem_map(const struct devmem *m, uint64_t physical, size_t n, uint8_t **out)
{
	int prot = PROT_READ | (m->writable ? PROT_WRITE : 0);
	void *p = mmap(NULL, n, prot, MAP_SHARED, m->fd, (off_t)physical);

	if (p == MAP_FAILED)
		return err_errno("mapping physical memory 0x%llx", (unsigned long long)physical);
	*out = p;
	return NULL;
}

void devmem_unmap(uint8_t *p, size_t n)
{
	munmap(p, n);
}
