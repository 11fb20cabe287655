/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "memory/hostmem.h"

#include "base/util.h"

#include <string.h>

#define VIEW_BYTES (2 * MIB)

err_t hostmem_init(struct hostmem *m, const struct range_list *windows, bool writable)
{
	*m = (struct hostmem){.cached = UINT64_MAX};
	TRY(exchanged_init(&m->exchanged, windows));
	return devmem_open(&m->dev, writable);
}

void hostmem_deinit(struct hostmem *m)
{
	if (m->view)
		devmem_unmap(m->view, VIEW_BYTES);
	exchanged_deinit(&m->exchanged);
	devmem_close(&m->dev);
}

/* The page's bytes where they really are, valid until the next call. */
static err_t view(struct hostmem *m, uint64_t physical, uint8_t **out)
{
	uint64_t start = align_down(physical, VIEW_BYTES);

	if (m->cached != start) {
		if (m->view)
			devmem_unmap(m->view, VIEW_BYTES);
		m->view = NULL;
		m->cached = UINT64_MAX;
		TRY(devmem_map(&m->dev, start, VIEW_BYTES, &m->view));
		m->cached = start;
	}
	*out = m->view + (physical - start);
	return NULL;
}

static err_t copy(struct hostmem *m, uint64_t physical, uint8_t *buf, size_t n, bool write)
{
	while (n) {
		size_t part = min_u64(n, PAGE_BYTES - (physical & (PAGE_BYTES - 1)));
		uint64_t real = 0;
		uint8_t *p;

		TRY(exchanged_where(&m->exchanged, physical, &real));
		TRY(view(m, real, &p));
		if (write)
			memcpy(p, buf, part);
		else
			memcpy(buf, p, part);
		physical += part;
		buf += part;
		n -= part;
	}
	return NULL;
}

err_t hostmem_read(struct hostmem *m, uint64_t physical, void *buf, size_t n)
{
	return copy(m, physical, buf, n, false);
}

err_t hostmem_write(struct hostmem *m, uint64_t physical, const void *buf, size_t n)
{
	return copy(m, physical, (uint8_t *)(uintptr_t)buf, n, true);
}

static err_t read_raw(void *self, uint64_t address, void *buf, size_t n)
{
	uint8_t *p = buf;

	while (n) {
		size_t part = min_u64(n, VIEW_BYTES - (address & (VIEW_BYTES - 1)));
		uint8_t *from;

		TRY(view(self, address, &from));
		memcpy(p, from, part);
		address += part;
		p += part;
		n -= part;
	}
	return NULL;
}

err_t hostmem_find_backup(struct hostmem *m, uint64_t entry, const struct range_list *memory)
{
	const struct physical raw = {m, read_raw};

	return exchanged_find(&m->exchanged, &raw, entry, memory);
}

static err_t read_physical(void *self, uint64_t address, void *buf, size_t n)
{
	return hostmem_read(self, address, buf, n);
}

struct physical hostmem_physical(struct hostmem *m)
{
	return (struct physical){m, read_physical};
}
