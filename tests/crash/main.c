/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Crash safety on a simulated disk: power cuts, unreadable sectors, failed writes
 * and flipped bits under the real code of lib/image, lib/target and
 * resume/verdict.c, on a bare disk, on a swap area, and on a located target in slots of
 * one in use. The rules are docs/crash-safety.md's (judge.c).
 *
 * Faults planted in the code that made it fail: each flush of commit.c left out;
 * the newer slot written first, in each step; VALID over the newer slot; one slot
 * retired only; a failed retiring not told; the result of reading back ignored; a
 * generation that does not grow; holds_image of the newer slot only; in verdict.c
 * a damaged twin, or the count of failures, ignored, and no mark beside a damaged
 * twin; an image begun in one slot hopeless, and not to be retired. Of swap areas: the signature
 * not looked at by verdict.c; the header not restored, or restored before RETIRED, or without a
 * flush. Of sealed images: the key not overwritten when retiring, or not by the next boot, or
 * without a flush, or before RETIRED. Of located targets: slots of another image than the map's
 * counted; what an older image left not finished before a new map is laid out; the sector not
 * saved, or not put back. Of what swapon has left of a locator: not zeroed by commit_begin.
 */
#include "run.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each on a bare disk, on a swap area, and in slots of one. */
static const struct {
	const char *name;
	void (*run)(struct run *r);
} kinds[] = {
	{"cuts", cuts_run},	  {"cuts in walks", walks_run},
	{"sectors", sectors_run}, {"failed operations", failures_run},
	{"flips", flips_run},
};

static void print_help(void)
{
	printf("usage: crash [OPTION...]\n\n"
	       "  --rounds N   so much more is left to chance; default 1, a share of all\n"
	       "  --seed N     of all random choices; default 1\n"
	       "  --case N     only this case, by the number that a failure was printed with\n"
	       "               (with the same rounds and seed)\n"
	       "  --help       this text\n\n"
	       "last line: N passed, N failed\n");
}

static bool read_number(const char *text, unsigned long *out)
{
	char *end;

	*out = strtoul(text, &end, 10);
	return *text && !*end && *out;
}

static bool read_options(int argc, char **argv, struct run *r)
{
	for (int i = 1; i < argc; i += 2) {
		unsigned long n;

		if (i + 1 == argc || !read_number(argv[i + 1], &n))
			return false;
		if (!strcmp(argv[i], "--rounds") && n <= 1000)
			r->rounds = (unsigned int)n;
		else if (!strcmp(argv[i], "--seed"))
			r->seed = n;
		else if (!strcmp(argv[i], "--case"))
			r->only = n;
		else
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct run r = {.seed = 1, .rounds = 1, .one_in = 1};

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		print_help();
		return 0;
	}
	if (!read_options(argc, argv, &r)) {
		fprintf(stderr, "crash: wrong arguments; see --help\n");
		return 2;
	}
	/* Thousands of images are read, each with 13 MiB of buffers: kept, not
	 * fetched from the kernel and cleared anew each time. */
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 512 << 20);
	r.scratch = disk_create(false);
	printf("seed %llu, rounds %u\n", (unsigned long long)r.seed, r.rounds);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (int target = 0; target < 3; target++) {
			r.swap = target > 0;
			r.located = r.scratch->located = target == 2;
			kinds[i].run(&r);
		}
		run_line(&r, kinds[i].name);
	}
	if (!r.only)
		plants_run(&r);
	disk_destroy(r.scratch);
	printf("%u passed, %u failed\n", r.passed, r.failed);
	return r.failed != 0;
}
