/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How much memory an image takes to be written and verified, for a host that is
 * simulated: GIB of RAM, of which each second page is free and each other one
 * a word of its own (the worst index). Selection, index and pipeline are the real ones;
 * only the memory itself is made up, block by block.
 *
 *   hosts GIB FILE [CIPHER]     FILE: created and removed, some 1.5 MiB for each GiB
 *
 * Prints "GIB write_kib read_kib index_bytes": peaks of this process's own memory.
 */
#include "base/util.h"
#include "image/reader.h"
#include "image/writer.h"
#include "memory/blocks.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS	    2
#define BLOCK_BYTES ((size_t)MEMORY_BLOCK_PAGES * PAGE_BYTES)

struct simulated {
	struct blocks blocks;
	struct freepages free;
	uint64_t *buffers[THREADS];
};

static void check(err_t e)
{
	if (!e)
		return;
	fprintf(stderr, "hosts: %s\n", err_text(e));
	exit(1);
}

static uint64_t first_pfn(void *self, uint64_t block)
{
	return blocks_first_pfn(&((struct simulated *)self)->blocks, block);
}

static void classify(void *self, uint64_t block, uint8_t *classes)
{
	blocks_classify(&((struct simulated *)self)->blocks, block, classes);
}

static err_t map(void *self, unsigned int thread, uint64_t block, const uint8_t *classes,
		 uint8_t **pages)
{
	struct simulated *s = self;
	uint64_t *w = s->buffers[thread];

	for (size_t p = 0; p < MEMORY_BLOCK_PAGES; p++)
		for (size_t i = 0; classes[p] == PAGE_SAVE && i < PAGE_BYTES / 8; i++)
			w[p * (PAGE_BYTES / 8) + i] = block * MEMORY_BLOCK_PAGES + p + 1;
	*pages = (uint8_t *)w;
	return NULL;
}

static void unmap(void *self, unsigned int thread, uint8_t *pages)
{
	(void)self;
	(void)thread;
	(void)pages;
}

static void simulate(struct simulated *s, const struct range_list *memory)
{
	const struct range_list none = {0};

	*s = (struct simulated){.free.pfns = memory->r[0].end >> PAGE_BITS};
	s->free.bits = malloc(s->free.pfns / 8);
	memset(s->free.bits, 0x55, s->free.pfns / 8);
	for (int i = 0; i < THREADS; i++)
		s->buffers[i] = aligned_alloc(PAGE_BYTES, BLOCK_BYTES);
	blocks_init(&s->blocks, memory, &none, &s->free);
}

/* The peak since the last call, in KiB (proc(5), clear_refs). */
static unsigned long peak(void)
{
	unsigned long kib = 0;
	char line[128];
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmHWM: %lu", &kib);
	if (f)
		fclose(f);
	f = fopen("/proc/self/clear_refs", "w");
	if (f) {
		fputs("5", f);
		fclose(f);
	}
	return kib;
}

static void write_image(struct simulated *s, const struct hostinfo *host, const struct target *t,
			const struct image_seal *seal, struct slot *slot)
{
	struct memory_source source = {s, s->blocks.count, first_pfn, classify, map, unmap};
	struct image_writer_options o = {
		.threads = THREADS, .codec = {codec_by_id(CODEC_LZ4), 1}, .seal = seal};
	uint8_t *header = malloc(HOSTINFO_MAX);
	struct image_writer *w;

	memcpy(o.nonce, slot->nonce, NONCE_BYTES);
	check(image_writer_create(&o, t, &w));
	check(image_writer_run(w, &source, header, hostinfo_encode(host, header), slot));
	image_writer_destroy(w);
	free(header);
}

static void make_seal(const struct cipher *cipher, const uint8_t nonce[NONCE_BYTES],
		      struct image_seal *seal)
{
	struct seal_recipient to = {.authenticated = false};
	struct secret secret;

	check(secret_create(&secret));
	check(secret_public(&secret, to.public_key));
	check(sealing_make(seal, cipher, &to, nonce));
}

int main(int argc, char **argv)
{
	const struct cipher *cipher = argc == 4 ? cipher_by_name(argv[3]) : NULL;
	struct image_reader_options options = {.threads = THREADS};
	struct hostinfo host = {.dump = true, .cpus = 1};
	uint64_t gib = argc == 3 || cipher ? strtoull(argv[1], NULL, 10) : 0;
	unsigned long before, written, read;
	struct simulated s;
	struct slot slot = {.nonce = "simulated host"};
	struct image_seal seal;
	struct target t;
	int fd;

	if (gib < 1 || gib > 4096) {
		fprintf(stderr, "usage: hosts GIB FILE [CIPHER]\n");
		return 2;
	}
	host.memory = (struct range_list){1, {{0, gib * GIB, RANGE_RAM}}};
	fd = open(argv[2], O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)(gib * 4 * MIB + 64 * MIB))) {
		perror(argv[2]);
		return 1;
	}
	check(target_open(&t, argv[2], true, false));
	unlink(argv[2]);
	if (cipher) {
		make_seal(cipher, slot.nonce, &seal);
		options.keys = &seal.keys;
	}
	before = peak();
	simulate(&s, &host.memory);
	write_image(&s, &host, &t, cipher ? &seal : NULL, &slot);
	written = peak() - before;
	free(s.free.bits);
	peak();
	before = peak();
	check(image_verify(&t, &slot, &host, &options));
	read = peak() - before;
	printf("%llu %lu %lu %llu\n", (unsigned long long)gib, written, read,
	       (unsigned long long)(slot.image_end - SLOT_DATA_START));
	return 0;
}
