/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A memory dump of any bytes: opened, its memory read by address and as a source, its
 * notes looked through.
 * Planted and found in 10 s: the length of a note, or of vmcoreinfo's text, trusted;
 * sums of offset and size, or of address and size, that overflow; program headers
 * behind the file's end.
 */
#include "fuzz.h"
#include "mutate.h"

#include "base/util.h"
#include "elf/dump.h"

#include <elf.h>
#include <sys/mman.h>

#define BLOCKS_MAX 64u /* of a dump that says it has terabytes */

static void check_memory(const struct elfdump *d)
{
	uint64_t last = 0;

	fuzz_check(d->memory.count > 0);
	for (size_t i = 0; i < d->memory.count; i++) {
		const struct range *r = &d->memory.r[i];

		fuzz_check((r->start | r->end) % PAGE_BYTES == 0 && r->start < r->end);
		fuzz_check(r->type == RANGE_RAM && (!i || r->start > last));
		last = r->end;
	}
	last = 0;
	for (uint32_t i = 0; i < d->segment_count; i++) {
		fuzz_check(d->segments[i].start >= last &&
			   d->segments[i].end > d->segments[i].start);
		last = d->segments[i].end;
	}
}

static void read_physical(struct elfdump *d)
{
	struct physical mem = elfdump_physical(d);
	uint8_t buf[64];

	for (uint32_t i = 0; i < d->segment_count && i < 64; i++) {
		(void)fuzz_fine(physical_read(&mem, d->segments[i].start, buf, sizeof(buf)));
		(void)fuzz_fine(physical_read(&mem, d->segments[i].end - 9, buf, sizeof(buf)));
		fuzz_check(fuzz_fine(physical_read(&mem, d->segments[i].end - 1, buf, 1)));
	}
	fuzz_check(!fuzz_fine(physical_read(&mem, UINT64_MAX - 3, buf, sizeof(buf))));
}

/* The first blocks, and the last ones. */
static void read_blocks(struct elfdump *d)
{
	struct elfdump_source *s;
	struct memory_source i;

	fuzz_check(!elfdump_source_create(d, NULL, 1, &s));
	i = elfdump_source_interface(s);
	for (uint64_t n = 0; n < i.blocks; n++) {
		uint8_t classes[MEMORY_BLOCK_PAGES], *pages;

		if (n == BLOCKS_MAX && i.blocks > 2 * BLOCKS_MAX)
			n = i.blocks - BLOCKS_MAX;
		i.classify(i.self, n, classes);
		fuzz_check(fuzz_fine(i.map(i.self, 0, n, classes, &pages)));
		i.unmap(i.self, 0, pages);
	}
	elfdump_source_destroy(s);
}

static void read_dump(const char *path)
{
	struct vmcoreinfo v;
	struct elfdump d;

	if (!fuzz_fine(elfdump_open(&d, path)))
		return;
	check_memory(&d);
	if (fuzz_fine(elfdump_vmcoreinfo(&d, &v)))
		fuzz_check(strlen(v.text) <= VMCOREINFO_MAX);
	read_physical(&d);
	read_blocks(&d);
	elfdump_close(&d);
}

/* A number that sums with others of the dump may go wrong with. */
static uint64_t odd_number(const uint64_t *fields, unsigned int count, size_t n, unsigned int *seed)
{
	static const int64_t off[] = {0, 0, 0, 1, -1, 4096, -4096, 100};
	uint64_t other = fields[mutate_random(seed, count)];
	const uint64_t numbers[] = {0,	       other, -other, n, n - other, (1ull << 52) - other,
				    1ull << 52};

	return numbers[mutate_random(seed, ARRAY_LEN(numbers))] +
	       (uint64_t)off[mutate_random(seed, ARRAY_LEN(off))];
}

/* Half of the time, one number of a program header. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned int seed)
{
	uint64_t fields[4 * sizeof(Elf64_Phdr) / 8];
	unsigned int count = (unsigned int)min_u64(
		ARRAY_LEN(fields), n < sizeof(Elf64_Ehdr) ? 0 : (n - sizeof(Elf64_Ehdr)) / 8);

	if (!count || mutate_random(&seed, 2))
		return LLVMFuzzerMutate(data, n, max);
	memcpy(fields, data + sizeof(Elf64_Ehdr), count * 8);
	fields[mutate_random(&seed, count)] = odd_number(fields, count, n, &seed);
	memcpy(data + sizeof(Elf64_Ehdr), fields, count * 8);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	static char path[32];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("dump", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	fuzz_check(!ftruncate(fd, 0) && pwrite(fd, in, n, 0) == (ssize_t)n);
	read_dump(path);
	return 0;
}
