/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "boot.h"

#include "base/util.h"
#include "formats/keyblock.h"
#include "resume/verdict.h"
#include "view.h"

#include <stdio.h>
#include <string.h>

/* The images that were found whole: sums over slot and data. */
#define MEMO_SIZE 4096u
struct memo {
	uint64_t whole[MEMO_SIZE];
};

static int kind_of(struct boot *b, err_t e)
{
	int kind = e ? (int)err_kind(e) : 0;

	if (e && !b->words[0])
		snprintf(b->words, sizeof(b->words), "%s", err_text(e));
	err_free(e);
	return kind;
}

static uint64_t sum(uint64_t h, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t word;

	for (; n >= sizeof(word); n -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	return h;
}

static uint64_t sum_image(const struct disk *d, int place)
{
	uint64_t at = place ? SLOT_B_OFFSET : SLOT_A_OFFSET;

	return sum(sum(1, d->view + at, SLOT_BYTES), d->view + SLOT_DATA_START,
		   DISK_BYTES - SLOT_DATA_START) |
	       1;
}

static int check_image(const struct disk *d, const struct target *t, bool memo, struct boot *b)
{
	static struct memo known; /* one thread looks at disks */
	uint64_t s = memo ? sum_image(d, b->commit.place) : 0;
	int kind;

	if (memo && known.whole[s % MEMO_SIZE] == s)
		return 0;
	kind = kind_of(b, image_check(t, &b->commit.slot));
	if (memo && !kind)
		known.whole[s % MEMO_SIZE] = s;
	return kind;
}

static void look_at_slots(const struct disk *d, struct boot *b)
{
	for (int i = 0; i < 2; i++) {
		struct slot slot;
		err_t e = slot_decode(d->view + (i ? SLOT_B_OFFSET : SLOT_A_OFFSET), &slot);

		b->slot_good[i] = !e;
		if (!e)
			b->slot_state[i] = slot.state;
		err_free(e);
	}
}

static void look_for_keys(const struct disk *d, struct boot *b)
{
	for (uint64_t at = 0; at < DISK_BYTES; at += KEYBLOCK_BYTES) {
		uint8_t nonce[NONCE_BYTES];

		for (unsigned int image = 0; image < IMAGES_MAX; image++) {
			image_nonce(image, nonce);
			if (keyblock_is_left(d->view + at, nonce))
				b->keys |= 1ull << image;
		}
	}
}

/* As far as slots tell: fingerprints, which a simulated disk has none of, may speak
 * for more. */
static void decide(struct boot *b)
{
	struct verdict v;

	if (!b->found)
		return;
	verdict_of_slots(&b->commit, &v);
	b->verdict = v.outcome;
	b->resumes = v.outcome == OUTCOME_RESUME;
	verdict_retry(&v);
	b->retries = v.outcome == OUTCOME_RESUME;
}

/*
 * A located target without its locator is nothing to a boot. What its slots say is looked
 * at all the same, by its map: steps go on from it.
 */
static int find(const struct disk *d, struct boot *b, struct target *t)
{
	err_t e = view_boot(d, t);

	b->found = !e;
	if (e && err_kind(e) == ERR_FORMAT) {
		err_free(e);
		e = view_open(d, t);
	}
	return kind_of(b, e);
}

static void look_at_image(const struct disk *d, const struct target *t, bool memo, struct boot *b)
{
	b->load = kind_of(b, commit_load(t, &b->commit));
	if (b->load)
		return;
	b->image = image_number(b->commit.slot.nonce);
	decide(b);
	b->checked =
		b->commit.slot.state == SLOT_VALID && !kind_of(b, commit_check_page0(&b->commit));
	if (b->checked)
		b->check = check_image(d, t, memo, b);
}

void boot_look(const struct disk *d, bool memo, struct boot *out)
{
	struct target t;

	*out = (struct boot){
		.image = IMAGES_MAX, .page0 = swap_kind(d), .page0_kept = swap_kept(d)};
	look_at_slots(d, out);
	look_for_keys(d, out);
	out->load = find(d, out, &t);
	if (out->load)
		return;
	look_at_image(d, &t, memo, out);
	target_close(&t);
}
