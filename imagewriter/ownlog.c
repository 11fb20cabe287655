/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "imagewriter/ownlog.h"

#include "base/io.h"
#include "base/util.h"
#include "memory/vmcoreinfo.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KERNEL_MAP	 0xffffffff80000000ull /* __START_KERNEL_map */
#define KERNEL_MAP_BYTES GIB
#define RING_BITS_MAX	 20

/* Bytes of this kernel's own memory: what /dev/mem does not map (with PAT; x86's
 * phys_mem_access_prot_allowed), but lets read. */
static err_t read_own(uint64_t physical, void *buf, size_t n)
{
	CLEANUP_CLOSE int fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : pread(fd, buf, n, (off_t)physical);

	if (got < 0)
		return err_errno("reading memory at 0x%llx", (unsigned long long)physical);
	return got == (ssize_t)n ? NULL : err_new(ERR_FORMAT, "reading memory fell short");
}

static err_t read_note(struct vmcoreinfo *out)
{
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FREE uint8_t *note = NULL;
	uint64_t address;
	uint32_t bytes;
	size_t n;

	TRY(io_read_file("/sys/kernel/vmcoreinfo", 256, &text, &n));
	if (sscanf(text, "%" SCNx64 " %" SCNx32, &address, &bytes) != 2 ||
	    bytes > 2 * VMCOREINFO_MAX)
		return err_new(ERR_FORMAT, "the writer kernel has no vmcoreinfo");
	note = malloc(bytes);
	if (!note)
		return err_new(ERR_NOMEM, "reading vmcoreinfo");
	TRY(read_own(address, note, bytes));
	return vmcoreinfo_parse(note, bytes, out);
}

struct ring_place {
	int64_t phys_base, prb, text_ring, data;
};

static err_t get(const struct vmcoreinfo *v, struct ring_place *p)
{
	const struct {
		const char *name;
		int64_t *to;
	} lines[] = {
		{"NUMBER(phys_base)", &p->phys_base},
		{"SYMBOL(prb)", &p->prb},
		{"OFFSET(printk_ringbuffer.text_data_ring)", &p->text_ring},
		{"OFFSET(prb_data_ring.data)", &p->data},
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (!vmcoreinfo_get(v, lines[i].name, lines[i].to))
			return err_new(ERR_FORMAT, "the writer kernel's vmcoreinfo lacks %s",
				       lines[i].name);
	return NULL;
}

static err_t own_physical(const struct ring_place *p, uint64_t address, uint64_t *out)
{
	if (address < KERNEL_MAP || address >= KERNEL_MAP + KERNEL_MAP_BYTES)
		return err_new(ERR_FORMAT, "the kernel's log is not in the kernel's image");
	*out = address - KERNEL_MAP + (uint64_t)p->phys_base;
	return NULL;
}

static err_t find(const struct ring_place *p, struct ownlog *out)
{
	uint64_t at = 0, prb = 0, ring = 0, data = 0;
	uint32_t bits = 0;

	TRY(own_physical(p, (uint64_t)p->prb, &at));
	TRY(read_own(at, &prb, sizeof(prb)));
	TRY(own_physical(p, prb + (uint64_t)p->text_ring, &ring));
	TRY(read_own(ring, &bits, sizeof(bits))); /* struct prb_data_ring begins with size_bits */
	TRY(read_own(ring + (uint64_t)p->data, &data, sizeof(data)));
	if (bits < 12 || bits > RING_BITS_MAX)
		return err_new(ERR_FORMAT, "the kernel's log has an impossible size");
	TRY(own_physical(p, data, &out->ring));
	out->bytes = 1ull << bits;
	out->head = ring + (uint64_t)p->data + 8; /* head_lpos follows data */
	return NULL;
}

err_t ownlog_find(struct ownlog *out)
{
	CLEANUP_FREE struct vmcoreinfo *v = malloc(sizeof(*v));
	struct ring_place p = {0};

	if (!v)
		return err_new(ERR_NOMEM, "looking for the kernel's log");
	TRY(read_note(v));
	TRY(get(v, &p));
	return find(&p, out);
}
