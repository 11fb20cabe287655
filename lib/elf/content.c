/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "elf/content.h"

#include "base/util.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The first segment that ends behind an address; segment_count: none. */
static uint32_t segment_behind(const struct elfdump *d, uint64_t address)
{
	uint32_t low = 0, high = d->segment_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (d->segments[middle].end > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

bool content_any(const struct elfdump *d, uint64_t start, uint64_t end)
{
	uint32_t i = segment_behind(d, start);

	return i < d->segment_count && d->segments[i].start < end;
}

/* Not io_pread: here an end of the file means that it was cut off. */
static err_t read_at(const struct elfdump *d, uint64_t offset, uint8_t *buf, size_t n)
{
	while (n) {
		ssize_t got = pread(d->fd, buf, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno("reading %s at byte %llu", d->name,
					 (unsigned long long)offset);
		if (got == 0)
			return err_new(ERR_CORRUPT, "%s has become shorter: it ends at byte %llu",
				       d->name, (unsigned long long)offset);
		buf += got;
		n -= (size_t)got;
		offset += (uint64_t)got;
	}
	return NULL;
}

err_t content_read(const struct elfdump *d, uint64_t address, uint8_t *buf, size_t n)
{
	uint64_t end = address + n;

	for (uint32_t i = segment_behind(d, address); address < end; i++) {
		const struct elfdump_segment *s = i < d->segment_count ? &d->segments[i] : NULL;
		uint64_t from = s ? min_u64(s->start, end) : end;
		uint64_t to = s ? min_u64(s->end, end) : end;

		if (from > address) {
			memset(buf, 0, from - address);
			buf += from - address;
			address = from;
		}
		if (to > address) {
			TRY(read_at(d, s->offset + (address - s->start), buf, to - address));
			buf += to - address;
			address = to;
		}
	}
	return NULL;
}

static err_t read_physical(void *self, uint64_t address, void *buf, size_t n)
{
	const struct elfdump *d = self;
	uint64_t at = address;

	if (n > UINT64_MAX - address)
		return err_new(ERR_FORMAT, "%s has no memory at 0x%llx", d->name,
			       (unsigned long long)address);
	/* Memory may go on in the next segment. */
	for (uint32_t i = segment_behind(d, at); at < address + n; i++) {
		if (i == d->segment_count || d->segments[i].start > at)
			return err_new(ERR_FORMAT, "%s has no memory at 0x%llx", d->name,
				       (unsigned long long)at);
		at = d->segments[i].end;
	}
	return content_read(d, address, buf, n);
}

struct physical elfdump_physical(struct elfdump *d)
{
	return (struct physical){d, read_physical};
}
