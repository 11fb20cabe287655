/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Flipped bits in an image that lies over an older one, retired: what counts is
 * refused as damaged, the rest changes nothing; never does the older one come back.
 */
#include "run.h"

#include "base/util.h"
#include "formats/directory.h"
#include "formats/locator.h"
#include "judge.h"
#include "view.h"

#include <stdio.h>
#include <string.h>

#define FLIPS	  1000u /* in each round, at most FLIPS_MAX */
#define FLIPS_MAX 2000u
#define PARTS_MAX 10u

/* Of a swap area, in page 0. */
#define SIGNATURE_AT	4086u
#define SIGNATURE_BYTES 10u

/* A part of the image of which every byte is under a checksum; n 0: none. */
struct part {
	const char *name;
	uint64_t at;
	uint64_t n;
};

/* Superblocks, header, directory, index; and last all that the image reaches over,
 * where no part is: chunks, padding, and what is in no use. */
static err_t find_parts(const uint8_t *content, const struct slot *slot,
			struct part parts[PARTS_MAX], unsigned int *count)
{
	const uint8_t *directory = content + slot->directory.offset;
	unsigned int n = 0;
	uint32_t segments;

	parts[n++] = (struct part){"superblock A", SLOT_A_OFFSET, SLOT_BYTES};
	parts[n++] = (struct part){"superblock B", SLOT_B_OFFSET, SLOT_BYTES};
	parts[n++] = (struct part){"header", slot->header.offset, slot->header.length};
	parts[n++] = (struct part){"directory", slot->directory.offset, slot->directory.length};
	TRY(directory_decode(directory, slot->directory.length, slot->nonce, false, &segments));
	for (uint32_t i = 0; i < segments && n < PARTS_MAX - 3; i++) {
		struct index_place place;

		TRY(directory_place(directory, i, false, slot->image_end, &place));
		parts[n++] = (struct part){"index", place.offset, place.length};
	}
	if (slot->features_incompat & SLOT_INCOMPAT_SWAP)
		parts[n++] = (struct part){"signature", SIGNATURE_AT, SIGNATURE_BYTES};
	if (slot->features_incompat & SLOT_INCOMPAT_LOCATED) {
		parts[n++] = (struct part){"locator", LOCATOR_AT, LOCATOR_BYTES};
		parts[n++] = (struct part){"extent map", VIEW_MAP_AT, VIEW_MAP_BYTES};
	}
	parts[n++] = (struct part){"data", 0, slot->image_end};
	*count = n;
	return NULL;
}

/* The part that a byte is of; the last one when of no other. */
static unsigned int part_of(const struct part *parts, unsigned int count, uint64_t at)
{
	for (unsigned int i = 0; i + 1 < count; i++)
		if (at >= parts[i].at && at < parts[i].at + parts[i].n)
			return i;
	return count - 1;
}

/* By what a boot finds the target. */
static bool finds(const struct part *part)
{
	return part->at == LOCATOR_AT || part->at == VIEW_MAP_AT;
}

/* part: under a checksum of its own. */
static const char *judge_flip(uint64_t dead, const struct part *parts, unsigned int part,
			      unsigned int count, struct boot *b)
{
	const char *text;

	b->page0_kept = true; /* that is what was flipped */
	text = judge_boot(dead, b);
	if (text)
		return text;
	if (part < 2)
		return (b->verdict == OUTCOME_ASK || b->verdict == OUTCOME_HOPELESS) && !b->retries
			       ? NULL
			       : "a damaged superblock is not told";
	if (finds(&parts[part]))
		return b->load == ERR_CORRUPT || (b->load == 0 && !b->found) ? NULL
									     : "a damaged way to "
									       "the image is taken";
	if (parts[part].at == SIGNATURE_AT)
		return b->verdict == OUTCOME_HOPELESS && !b->retries
			       ? NULL
			       : "a swap area that is no image's any more is resumed";
	if (!b->resumes)
		return "the superblocks are refused, and are whole";
	if (b->check == ERR_CORRUPT)
		return NULL;
	if (b->check)
		return "damage is told as something else";
	return part + 1 < count ? "damage is not told" : NULL;
}

static uint64_t random_of(struct run *r)
{
	uint64_t x = (r->seed * 1000003 + r->cases) * 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 31) * 0xd6e8feb86659fd93ull;
	return x ^ x >> 32;
}

static void flip(struct run *r, const struct history *h, const struct part *parts,
		 unsigned int count)
{
	uint64_t chance = random_of(r);
	const struct part *wanted = &parts[r->cases % count];
	uint64_t bit = chance % (wanted->n * 8), at = wanted->at + bit / 8;
	unsigned int part = part_of(parts, count, at);
	struct boot b;

	disk_reset(r->scratch, h->disk->view);
	r->scratch->view[at] ^= (uint8_t)(1u << bit % 8);
	boot_look(r->scratch, true, &b);
	run_result(r, judge_flip(h->now.dead, parts, part, count, &b),
		   "bit %llu of byte %llu (%s): %s", (unsigned long long)bit % 8,
		   (unsigned long long)at, parts[part].name, b.words);
}

void flips_run(struct run *r)
{
	static struct history h; /* too large for the stack */
	struct disk *d = disk_create(r->located);
	struct part parts[PARTS_MAX];
	unsigned int count = 0;
	err_t e;

	disk_reset(d, swap_blank(r->swap));
	history_init(&h, d);
	e = history_run(&h, "bwvsjr bwvr bwv");
	if (!e)
		e = find_parts(d->view, &h.commit.slot, parts, &count);
	if (e)
		run_result(r, err_text(e), "the image to flip bits in");
	for (uint64_t i = 0; !e && i < min_u64(FLIPS_MAX, FLIPS * r->rounds); i++)
		if (run_wants(r))
			flip(r, &h, parts, count);
	err_free(e);
	disk_destroy(d);
}
