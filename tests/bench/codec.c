/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How fast is the pipeline? An image of mixed memory (a quarter zero, an eighth
 * free, the rest shared libraries and noise) is written and restored, and the
 * codec alone is timed over the same chunks, on as many threads:
 *
 *   codec TARGET [CODEC [THREADS [MiB [sync]]]]
 *
 * TARGET is a file, created and removed. On a slow disk the disk is measured;
 * /dev/shm shows the CPU's part.
 */
#include "base/util.h"
#include "codec/codec.h"
#include "../unit/fakemem.h"
#include "image/reader.h"
#include "image/writer.h"

#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

struct codec_job {
	const struct codec *codec;
	struct fakemem *mem;
	unsigned int number, threads;
};

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds on the wall, and of CPU time, which other work on the machine leaves alone. */
struct cost {
	double wall, cpu;
};

static void cost_start(struct cost *c)
{
	c->wall = now(CLOCK_MONOTONIC);
	c->cpu = now(CLOCK_PROCESS_CPUTIME_ID);
}

static void cost_end(struct cost *c)
{
	c->wall = now(CLOCK_MONOTONIC) - c->wall;
	c->cpu = now(CLOCK_PROCESS_CPUTIME_ID) - c->cpu;
}

static void check(err_t e)
{
	if (!e)
		return;
	fprintf(stderr, "codec: %s\n", err_text(e));
	exit(1);
}

/* Shared libraries, one after the other, until n bytes are full. */
static void fill_libraries(uint8_t *p, size_t n)
{
	glob_t g;

	if (glob("/usr/lib/x86_64-linux-gnu/*.so*", 0, NULL, &g))
		return;
	for (size_t i = 0; n && g.gl_pathc; i = (i + 1) % g.gl_pathc) {
		int fd = open(g.gl_pathv[i], O_RDONLY);
		ssize_t got = fd < 0 ? 0 : read(fd, p, n);

		if (fd >= 0)
			close(fd);
		got = got < 0 ? 0 : got;
		p += got;
		n -= (size_t)got;
	}
	globfree(&g);
}

static void fill(struct fakemem *f)
{
	uint64_t seed = 12345;

	fill_libraries(f->mem, f->blocks * FAKE_BLOCK);
	memset(f->classes, PAGE_SAVE, f->blocks * CHUNK_PAGES);
	memset(f->classes + 3, PAGE_SKIP, 2); /* its window */
	/* Stretches of 1 to 64 pages, of one kind each. */
	for (uint64_t i = 8, n; i + 64 < f->blocks * CHUNK_PAGES; i += n) {
		uint64_t kind = fake_random(&seed) % 16;

		n = 1 + fake_random(&seed) % 64;
		if (kind < 4)
			memset(f->mem + i * PAGE_BYTES, 0, n * PAGE_BYTES);
		else if (kind < 6)
			memset(f->classes + i, PAGE_SKIP, n);
		else if (kind < 8)
			for (uint64_t p = 0; p < n; p++)
				fake_page(f->mem + (i + p) * PAGE_BYTES, FAKE_RANDOM, &seed);
	}
}

/* Compress every threads-th block, all pages that would be. */
static void *codec_alone(void *arg)
{
	struct codec_job *j = arg;
	uint8_t *in = malloc(FAKE_BLOCK), *out = malloc(j->codec->bound(FAKE_BLOCK));
	void *work = malloc(j->codec->workspace + 1);

	for (uint64_t b = j->number; b < j->mem->blocks; b += j->threads) {
		size_t n = 0;

		for (uint64_t i = b * CHUNK_PAGES; i < (b + 1) * CHUNK_PAGES; i++) {
			const uint64_t *page = (const uint64_t *)(j->mem->mem + i * PAGE_BYTES);

			if (!j->mem->classes[i] ||
			    (!page[0] && !page[1] && !memcmp(page, page + 1, PAGE_BYTES - 8)))
				continue;
			memcpy(in + n, page, PAGE_BYTES);
			n += PAGE_BYTES;
		}
		if (n)
			j->codec->compress(in, n, out, work);
	}
	free(in);
	free(out);
	free(work);
	return NULL;
}

static struct cost time_codec(const struct codec *codec, struct fakemem *mem, unsigned int threads)
{
	struct codec_job jobs[64];
	pthread_t t[64];
	struct cost c;

	cost_start(&c);
	for (unsigned int i = 0; i < threads; i++) {
		jobs[i] = (struct codec_job){codec, mem, i, threads};
		pthread_create(&t[i], NULL, codec_alone, &jobs[i]);
	}
	for (unsigned int i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	cost_end(&c);
	return c;
}

static struct cost write_image(struct fakemem *mem, const struct target *t,
			       const struct hostinfo *host, const struct image_writer_options *o,
			       struct slot *slot)
{
	static uint8_t header[HOSTINFO_MAX];
	struct memory_source source = fake_source(mem);
	struct image_writer *w;
	struct cost c;

	cost_start(&c);
	check(image_writer_create(o, t, &w));
	check(image_writer_run(w, &source, header, hostinfo_encode(host, header), slot));
	image_writer_destroy(w);
	cost_end(&c);
	return c;
}

static struct cost read_image(struct fakemem *mem, const struct target *t,
			      const struct hostinfo *host, const struct image_reader_options *o,
			      const struct slot *slot)
{
	struct memory_sink sink = fake_sink(mem);
	struct cost c;

	cost_start(&c);
	if (mem)
		check(image_restore(t, slot, host, &sink, o));
	else
		check(image_verify(t, slot, host, o));
	cost_end(&c);
	return c;
}

static void report(const char *what, struct cost c, const struct slot *s, uint64_t blocks)
{
	printf("%-8s %6.2f s  %6.2f s of CPU  %7.0f MiB/s of memory  %7.0f MiB/s of data pages\n",
	       what, c.wall, c.cpu, (double)(blocks * FAKE_BLOCK) / MIB / c.wall,
	       (double)s->raw_bytes / MIB / c.wall);
}

int main(int argc, char **argv)
{
	struct image_writer_options wo = {.threads = argc > 3 ? (unsigned int)atoi(argv[3]) : 2};
	struct image_reader_options ro = {.threads = wo.threads};
	uint64_t blocks = (argc > 4 ? (uint64_t)atoi(argv[4]) : 512) * 2;
	static struct fakemem mem, to;
	struct slot slot = {0};
	struct hostinfo host;
	struct target t;
	struct cost codec;
	int fd;

	wo.codec = codec_by_name(argc > 2 ? argv[2] : "lzo");
	if (argc < 2 || !wo.codec || blocks > FAKE_BLOCKS_MAX || wo.threads < 1 ||
	    wo.threads > 64) {
		fprintf(stderr, "usage: codec TARGET [CODEC [THREADS [MiB [sync]]]]\n");
		return 2;
	}
	wo.sync_io = ro.sync_io = argc > 5;
	fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || posix_fallocate(fd, 0, (off_t)(blocks * FAKE_BLOCK + 8 * MIB))) {
		perror(argv[1]);
		return 1;
	}
	check(target_open(&t, argv[1], true, false));
	fake_init(&mem, blocks, 0x100000);
	fill(&mem);
	host = fake_host(&mem, FREE_FILL_NONE);
	fake_init(&to, blocks, 0x100000);
	memset(to.mem, FAKE_GUARD, blocks * FAKE_BLOCK);
	codec = time_codec(wo.codec, &mem, wo.threads); /* warms up */
	codec = time_codec(wo.codec, &mem, wo.threads);
	for (int i = 0; i < 2; i++) {
		struct cost w = write_image(&mem, &t, &host, &wo, &slot);

		report("write", w, &slot, blocks);
		printf("         codec alone: %.2f s, %.2f s of CPU: %.0f %% of it\n", codec.wall,
		       codec.cpu, 100 * codec.cpu / w.cpu);
		report("verify", read_image(NULL, &t, &host, &ro, &slot), &slot, blocks);
		report("restore", read_image(&to, &t, &host, &ro, &slot), &slot, blocks);
	}
	printf("image: %.0f MiB, stored %.0f %% of %.0f MiB of data pages\n",
	       (double)slot.image_end / MIB,
	       100.0 * (double)slot.stored_bytes / (double)slot.raw_bytes,
	       (double)slot.raw_bytes / MIB);
	for (uint64_t i = 0; i < blocks * CHUNK_PAGES; i++)
		if (mem.classes[i] &&
		    memcmp(mem.mem + i * PAGE_BYTES, to.mem + i * PAGE_BYTES, PAGE_BYTES))
			check(err_new(ERR_CORRUPT, "page %llu differs", (unsigned long long)i));
	unlink(argv[1]);
	return 0;
}
