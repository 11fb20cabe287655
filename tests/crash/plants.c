/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted on purpose, as a bug of commit.c would make them: the device
 * forgets a barrier, loses a write, or writes the other slot. Each must be told,
 * by the step itself or by a rule that some power cut breaks. That "the newer slot
 * is overwritten first" is the device's doing here: from the first slot written
 * on, it takes each for the other. Without its fault, each is found whole.
 */
#include "run.h"

#include "base/util.h"

#include <stdio.h>

#define LOST(n, said)                                                                              \
	{                                                                                          \
		.kind = FAULT_WRITE_LOST, .nth = (n), .lies = (said)                               \
	}
#define NO_FLUSH(n)                                                                                \
	{                                                                                          \
		.kind = FAULT_FLUSH_IGNORED, .nth = (n)                                            \
	}
#define SWAPPED                                                                                    \
	{                                                                                          \
		.kind = FAULT_SLOTS_SWAPPED                                                        \
	}

#define EARLY                                                                                      \
	{                                                                                          \
		.kind = FAULT_HEADER_EARLY                                                         \
	}
#define LATE                                                                                       \
	{                                                                                          \
		.kind = FAULT_HEADER_LATE                                                          \
	}

enum {
	TOLD = 1,    /* by the step: it reads back what it wrote, and no cut need show it */
	SWAP = 2,    /* on a swap area, and once more in slots of one */
	BLIND = 4,   /* the fault is that the next boots do not look at page 0 */
	LOCATED = 8, /* in slots of a swap area only */
};

static const struct {
	const char *name;
	const char *before, *step, *after; /* the fault is in the middle one */
	struct disk_fault fault;
	const char *failing; /* a step before it whose slot stays in the cache: its flush fails */
	unsigned int how;
} plants[] = {
	{"begin without a flush between the slots", "bwvr", "b", "wv", NO_FLUSH(1), NULL, 0},
	{"begin without its last flush", "bwvr", "b", "wv", NO_FLUSH(2), NULL, 0},
	{"VALID without a flush of the data", "bwvr bw", "v", "r", NO_FLUSH(0), NULL, 0},
	{"VALID without a flush after it", "bwvr bw", "v", "", NO_FLUSH(1), NULL, 0},
	{"RESUMING without a flush between the slots", "bwvr bwv", "s", "jr", NO_FLUSH(1), NULL, 0},
	{"RESUMING without its last flush", "bwvr bwv", "s", "jr", NO_FLUSH(2), NULL, 0},
	{"retiring without a flush between the slots", "bwv", "r", "b", NO_FLUSH(1), NULL, 0},
	{"retiring without its last flush", "bwv", "r", "b", NO_FLUSH(2), NULL, 0},
	{"a failure without a flush after it", "bwv", "f", "s", NO_FLUSH(1), NULL, 0},
	{"begin without its first flush", "bwvr", "b", "wv", NO_FLUSH(0), "b", 0},
	{"RESUMING without its first flush", "bwv", "s", "jr", NO_FLUSH(0), "f", 0},
	{"retiring without its first flush", "bwvr bw", "r", "b", NO_FLUSH(0), "v", 0},
	{"a failure without its first flush", "bwv", "f", "s", NO_FLUSH(0), "s", 0},

	{"data lost", "bwvr b", "w", "vr", LOST(0, false), NULL, 0},
	{"data lost, read back from a cache", "bwvr b", "w", "vr", LOST(0, true), NULL, 0},
	{"only the second slot begun", "bwvr", "b", "wv", LOST(0, false), NULL, 0},
	{"only the first slot begun", "bwvr", "b", "wv", LOST(1, false), NULL, 0},
	{"VALID lost", "bwvr bw", "v", "", LOST(0, false), NULL, TOLD},
	{"VALID lost, read back from a cache", "bwvr bw", "v", "", LOST(0, true), NULL, 0},
	{"only the second slot RESUMING", "bwv", "s", "jr", LOST(0, false), NULL, 0},
	{"only the first slot RESUMING", "bwv", "s", "jr", LOST(1, false), NULL, 0},
	{"only the second slot retired", "bwv", "r", "b", LOST(0, false), NULL, TOLD},
	{"only the first slot retired", "bwv", "r", "b", LOST(1, false), NULL, TOLD},
	{"only the second slot retired, not read back", "bwv", "r", "b", LOST(0, true), NULL, 0},
	{"only the first slot retired, not read back", "bwv", "r", "b", LOST(1, true), NULL, 0},
	{"the sealed key not wiped", "bwvr bwv", "r", "", LOST(2, false), NULL, TOLD},
	{"the sealed key not wiped, read back from a cache", "bwvr bwv", "r", "", LOST(2, true),
	 NULL, 0},
	{"the sealed key wiped without a flush", "bwvr bwv", "r", "", NO_FLUSH(3), NULL, 0},
	{"a failure lost", "bwv", "f", "s", LOST(0, false), NULL, 0},

	{"begin: the newer slot first", "bwvr", "b", "wv", SWAPPED, NULL, 0},
	{"VALID over the newer slot", "bwvr bw", "v", "", SWAPPED, NULL, 0},
	{"RESUMING: the newer slot first", "bwv", "s", "jr", SWAPPED, NULL, 0},
	{"retiring: the newer slot first", "bwvs", "r", "b", SWAPPED, NULL, 0},
	{"a failure over the newer slot", "bwv", "f", "s", SWAPPED, NULL, 0},

	{"the host goes on beside VALID", "bwv", "j", "", {0}, NULL, 0},
	{"a jump back between VALID and power off", "bwvr bwvf", "j", "", {0}, NULL, 0},

	{"VALID without a flush after the signature", "bwvr bw", "v", "", NO_FLUSH(1), NULL, SWAP},
	{"the signature lost", "bwvr bw", "v", "", LOST(0, false), NULL, TOLD | SWAP},
	{"the signature lost, read back from a cache", "bwvr bw", "v", "", LOST(0, true), NULL,
	 SWAP},
	{"the signature set after VALID", "bwvr bw", "v", "", LATE, NULL, SWAP},
	{"the header restored before RETIRED", "bwv", "r", "b", EARLY, NULL, SWAP},
	{"the header restored before RETIRED, resumed", "bwvsj", "r", "b", EARLY, NULL, SWAP},
	{"the header restored without a flush", "bwv", "r", "", NO_FLUSH(3), NULL, SWAP},
	{"the header not restored", "bwv", "r", "", LOST(2, false), NULL, TOLD | SWAP},
	{"the header not restored, read back from a cache", "bwv", "r", "", LOST(2, true), NULL,
	 SWAP},
	{"a swap area retired in one slot only", "bwv", "r", "b", LOST(1, true), NULL, SWAP},
	{"the host goes on beside VALID in a swap area", "bwv", "j", "", {0}, NULL, SWAP},
	{"the signature never checked at boot", "bwvr bwv", "o", "", {0}, NULL, SWAP | BLIND},

	{"the extent map lost", "bwvr", "b", "wv", LOST(0, false), NULL, TOLD | LOCATED},
	{"the extent map lost, read back from a cache", "bwvr", "b", "wv", LOST(0, true), NULL,
	 LOCATED},
};

/* The steps before the planted one; the disk is as it should be but for one flush. */
static err_t prepare(size_t i, struct history *h, struct disk *d)
{
	static const struct disk_fault flush_fails = {.kind = FAULT_ERROR, .nth = 2};

	disk_reset(d, swap_blank(plants[i].how & (SWAP | LOCATED)));
	history_init(h, d);
	TRY(history_run(h, plants[i].before));
	if (plants[i].failing) {
		disk_plant(d, &flush_fails);
		err_free(history_run(h, plants[i].failing));
	}
	return NULL;
}

/* Does a step say so, or is a rule broken? */
static bool is_found(struct run *r, size_t i, struct disk *d, bool planted)
{
	static struct history h; /* too large for the stack */
	struct run quiet = *r;
	unsigned int from;
	err_t e = prepare(i, &h, d);

	from = h.count;
	disk_plant(d, planted ? &plants[i].fault : NULL);
	if (!e)
		e = history_run(&h, plants[i].step);
	disk_plant(d, NULL);
	if (!e && planted && plants[i].how & TOLD)
		return false;
	if (!e)
		e = history_run(&h, plants[i].after);
	if (e) {
		err_free(e);
		return true;
	}
	quiet.quiet = true;
	quiet.only = 0;
	quiet.violations = 0;
	quiet.scratch->blind = planted && plants[i].how & BLIND;
	quiet.scratch->located = d->located;
	run_cuts(&quiet, plants[i].name, &h, from);
	quiet.scratch->blind = false;
	return quiet.violations;
}

/* With the fault, and not without it. */
static bool try_plant(struct run *r, size_t i, bool located)
{
	/* The fault is the step itself. */
	bool caller = !plants[i].fault.kind && !(plants[i].how & BLIND);
	const char *text = NULL;
	struct disk *d = disk_create(located);

	if (!is_found(r, i, d, true))
		text = "not found";
	else if (!caller && is_found(r, i, d, false))
		text = "found without its fault";
	if (text)
		printf("FAIL %s: %s%s\n", text, plants[i].name, located ? ", in its slots" : "");
	disk_destroy(d);
	return !text;
}

void plants_run(struct run *r)
{
	unsigned int found = 0, tried = 0;

	for (size_t i = 0; i < ARRAY_LEN(plants); i++)
		for (int located = 0; located < 2; located++) {
			if (located ? !(plants[i].how & (SWAP | LOCATED)) : plants[i].how & LOCATED)
				continue;
			tried++;
			found += try_plant(r, i, located);
		}
	printf("planted faults: %u of %u found\n", found, tried);
	r->passed += found == tried;
	r->failed += found != tried;
}
