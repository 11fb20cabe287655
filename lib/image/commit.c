/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/commit.h"

#include "base/util.h"

#include <stdio.h>
#include <string.h>

/* The two places as the medium has them. */
struct medium {
	struct slot slot[2];
	bool good[2];
	bool foreign[2]; /* readable, and no superblock */
	err_t error[2];	 /* why it is not good; owned */
};

static uint64_t place_offset(int place)
{
	return place ? SLOT_B_OFFSET : SLOT_A_OFFSET;
}

static const char *place_name(int place)
{
	return place ? "superblock B" : "superblock A";
}

static void medium_deinit(struct medium *m)
{
	err_free(m->error[0]);
	err_free(m->error[1]);
}

#define CLEANUP_MEDIUM __attribute__((cleanup(medium_deinit)))

/* Read both places; what is wrong with one is kept in m->error. */
static err_t medium_read(const struct target *t, struct medium *m)
{
	CLEANUP_FREE uint8_t *buf = target_buffer(SLOT_BYTES);

	if (!buf)
		return err_new(ERR_NOMEM, "reading the superblock");
	for (int i = 0; i < 2; i++) {
		err_t e = target_read(t, buf, SLOT_BYTES, place_offset(i));

		if (!e)
			e = slot_decode(buf, &m->slot[i]);
		m->good[i] = !e;
		m->foreign[i] = e && err_kind(e) == ERR_FORMAT;
		m->error[i] = err_context(e, "%s of %s", place_name(i), t->name);
	}
	return NULL;
}

static bool has_error(const struct medium *m, int place, enum err_kind kind)
{
	return m->error[place] && err_kind(m->error[place]) == kind;
}

/* Take over the error of the first place that has one of this kind, or NULL. */
static err_t take_error(struct medium *m, enum err_kind kind)
{
	for (int i = 0; i < 2; i++) {
		if (has_error(m, i, kind)) {
			err_t e = m->error[i];

			m->error[i] = NULL;
			return e;
		}
	}
	return NULL;
}

/* Does B count, if both are good? The same generation twice is nothing that this
 * file writes; then what is further on counts, so that nothing used up is revived. */
static bool b_is_newer(const struct medium *m)
{
	if (m->slot[0].generation == m->slot[1].generation)
		return m->slot[1].state > m->slot[0].state;
	return m->slot[1].generation > m->slot[0].generation;
}

/*
 * Which place counts? A newer version's slot makes the other one worthless,
 * since nobody knows which came later.
 */
static err_t medium_newest(struct medium *m, int *newest)
{
	static const enum err_kind order[] = {ERR_CORRUPT, ERR_IO, ERR_NOSPACE, ERR_FORMAT};
	err_t e = take_error(m, ERR_UNSUPPORTED);

	if (e)
		return e;
	for (size_t i = 0; i < ARRAY_LEN(order) && !m->good[0] && !m->good[1]; i++)
		if ((e = take_error(m, order[i])))
			return e;
	*newest = !m->good[0] || (m->good[1] && b_is_newer(m));
	return NULL;
}

static bool same_nonce(const struct slot *slot, const uint8_t nonce[NONCE_BYTES])
{
	return !memcmp(slot->nonce, nonce, NONCE_BYTES);
}

static struct commit commit_of(const struct medium *m, int newest)
{
	return (struct commit){
		.slot = m->slot[newest],
		.place = newest,
		.twin_good = m->good[!newest] &&
			     same_nonce(&m->slot[!newest], m->slot[newest].nonce) &&
			     m->slot[!newest].generation < m->slot[newest].generation,
		.holds_image = slot_holds_image(&m->slot[newest]) ||
			       (m->good[!newest] && slot_holds_image(&m->slot[!newest])),
	};
}

err_t commit_load(const struct target *t, struct commit *out)
{
	CLEANUP_MEDIUM struct medium m = {0};
	int newest;
	err_t e;

	*out = (struct commit){.place = 1, .twin_good = true};
	TRY(medium_read(t, &m));
	e = medium_newest(&m, &newest);
	if (e) {
		out->twin_good = err_kind(e) == ERR_FORMAT;
		return e;
	}
	*out = commit_of(&m, newest);
	return NULL;
}

/*
 * What every write but the first of an image begins with: the medium as it is
 * now, where the slot that counts must be of this image, and the other place
 * not of another one.
 */
static err_t medium_of_image(const struct target *t, const uint8_t nonce[NONCE_BYTES],
			     struct medium *m, int *newest)
{
	TRY(medium_read(t, m));
	TRY(medium_newest(m, newest));
	for (int i = 0; i < 2; i++)
		if (m->good[i] && !same_nonce(&m->slot[i], nonce))
			return err_new(ERR_REFUSED, "%s of %s is of another image by now",
				       place_name(i), t->name);
	return NULL;
}

/*
 * Protects the slot that counts, before the other one is written: where an
 * earlier flush failed, it may have been read out of the device's cache, and if
 * the write of the other one is torn then, none is left on the medium.
 */
static err_t flush_slots(const struct target *t)
{
	return target_flush(t);
}

static err_t write_slot(const struct target *t, int place, const struct slot *slot)
{
	CLEANUP_FREE uint8_t *buf = target_buffer(SLOT_BYTES);

	if (!buf)
		return err_new(ERR_NOMEM, "writing the superblock");
	slot_encode(slot, buf);
	return err_context(target_write(t, buf, SLOT_BYTES, place_offset(place)), "%s",
			   place_name(place));
}

/* Does the medium have the slot, byte for byte? */
static err_t read_back(const struct target *t, int place, const struct slot *slot)
{
	CLEANUP_FREE uint8_t *buf = target_buffer(2 * SLOT_BYTES);

	if (!buf)
		return err_new(ERR_NOMEM, "reading the superblock back");
	slot_encode(slot, buf + SLOT_BYTES);
	TRY(err_context(target_read(t, buf, SLOT_BYTES, place_offset(place)), "reading back %s",
			place_name(place)));
	if (memcmp(buf, buf + SLOT_BYTES, SLOT_BYTES))
		return err_new(ERR_IO, "%s of %s reads back other than it was written",
			       place_name(place), t->name);
	return NULL;
}

static uint64_t highest_generation(const struct medium *m)
{
	return max_u64(m->good[0] ? m->slot[0].generation : 0,
		       m->good[1] ? m->slot[1].generation : 0);
}

/*
 * The same state into both places, the older first; *c is set to the result.
 * Generations are slot->generation + 1 and + 2.
 */
static err_t write_both(const struct target *t, struct commit *c, int newest,
			const struct slot *slot)
{
	struct slot next = *slot;

	TRY(flush_slots(t));
	next.generation++;
	TRY(write_slot(t, !newest, &next));
	/* Protects the write just made: it must be whole on the medium before
	 * the other place, so far the one that counts, may be torn. */
	TRY(target_flush(t));
	next.generation++;
	TRY(write_slot(t, newest, &next));
	/* Protects the write just made: who goes on relies on both places. */
	TRY(target_flush(t));
	*c = (struct commit){.slot = next,
			     .place = newest,
			     .twin_good = true,
			     .holds_image = slot_holds_image(&next)};
	return NULL;
}

err_t commit_begin(const struct target *t, struct commit *c, const uint8_t nonce[NONCE_BYTES],
		   uint64_t created)
{
	CLEANUP_MEDIUM struct medium m = {0};
	struct slot slot = {.state = SLOT_WRITING, .created = created};
	int newest = 1;

	TRY(medium_read(t, &m));
	TRY(take_error(&m, ERR_UNSUPPORTED));
	TRY(take_error(&m, ERR_IO));
	TRY(take_error(&m, ERR_NOSPACE));
	for (int i = 0; i < 2; i++)
		if (m.good[i] && slot_holds_image(&m.slot[i]))
			return err_new(ERR_REFUSED, "%s holds an image (%s): retire it first",
				       t->name, slot_state_name(m.slot[i].state));
	err_free(medium_newest(&m, &newest)); /* nothing that counts: any order will do */
	memcpy(slot.nonce, nonce, NONCE_BYTES);
	slot.generation = highest_generation(&m);
	return write_both(t, c, newest, &slot);
}

err_t commit_valid(const struct target *t, struct commit *c, const struct slot *slot)
{
	CLEANUP_MEDIUM struct medium m = {0};
	struct slot next = *slot;
	int newest;

	TRY(medium_of_image(t, c->slot.nonce, &m, &newest));
	for (int i = 0; i < 2; i++)
		if (!m.good[i] || m.slot[i].state != SLOT_WRITING)
			return err_new(ERR_REFUSED, "%s of %s is not being written any more",
				       place_name(i), t->name);
	next.state = SLOT_VALID;
	next.created = m.slot[newest].created;
	next.generation = m.slot[newest].generation + 1;
	memcpy(next.nonce, m.slot[newest].nonce, NONCE_BYTES);
	/* Protects header, chunks, index and directory: VALID must not reach
	 * the medium before them. And what flush_slots does. */
	TRY(target_flush(t));
	TRY(write_slot(t, !newest, &next));
	/* Protects VALID: after this the machine is powered off. */
	TRY(target_flush(t));
	TRY(read_back(t, !newest, &next));
	*c = (struct commit){
		.slot = next, .place = !newest, .twin_good = true, .holds_image = true};
	return NULL;
}

/* The slot that counts must be an image. */
static err_t check_image(const struct target *t, const struct slot *slot)
{
	if (!slot_holds_image(slot))
		return err_new(ERR_REFUSED, "%s holds no image, its state is: %s", t->name,
			       slot_state_name(slot->state));
	return NULL;
}

err_t commit_resuming(const struct target *t, struct commit *c)
{
	CLEANUP_MEDIUM struct medium m = {0};
	struct slot next;
	int newest;

	TRY(medium_of_image(t, c->slot.nonce, &m, &newest));
	TRY(check_image(t, &m.slot[newest]));
	next = m.slot[newest];
	next.state = SLOT_RESUMING;
	return write_both(t, c, newest, &next);
}

/* One place RETIRED, on the medium, and read back. */
static err_t retire_place(const struct target *t, int place, const struct slot *slot)
{
	TRY(write_slot(t, place, slot));
	/* Protects RETIRED: before the other place may be torn, and before the
	 * host runs and writes to its disks. */
	TRY(target_flush(t));
	return read_back(t, place, slot);
}

err_t commit_retire(const struct target *t, struct commit *c, const char *reason)
{
	CLEANUP_MEDIUM struct medium m = {0};
	struct commit done;
	err_t first = NULL;
	int newest;

	TRY(medium_of_image(t, c->slot.nonce, &m, &newest));
	TRY(flush_slots(t));
	done = (struct commit){.slot = m.slot[newest], .twin_good = !m.foreign[!newest]};
	done.slot.state = SLOT_RETIRED;
	memset(done.slot.reason, 0, sizeof(done.slot.reason));
	snprintf(done.slot.reason, sizeof(done.slot.reason), "%s", reason);
	for (int i = 0; i < 2; i++) {
		int place = i ? newest : !newest;

		if (m.foreign[place])
			continue;
		done.slot.generation++;
		done.place = place;
		first = err_first(first, retire_place(t, place, &done.slot));
	}
	if (!first)
		*c = done;
	return first;
}

err_t commit_resume_failed(const struct target *t, struct commit *c, const char *reason)
{
	CLEANUP_MEDIUM struct medium m = {0};
	struct slot next;
	int newest;

	TRY(medium_of_image(t, c->slot.nonce, &m, &newest));
	TRY(check_image(t, &m.slot[newest]));
	if (m.foreign[!newest])
		return err_new(ERR_REFUSED, "%s of %s is something else by now",
			       place_name(!newest), t->name);
	next = m.slot[newest];
	next.state = SLOT_VALID; /* also when RESUMING was written: the jump was not made */
	next.generation++;
	next.failed_resumes++;
	memset(next.reason, 0, sizeof(next.reason));
	snprintf(next.reason, sizeof(next.reason), "%s", reason);
	TRY(flush_slots(t));
	TRY(write_slot(t, !newest, &next));
	/* Protects the count: the machine reboots, and the next boot asks by it. */
	TRY(target_flush(t));
	*c = (struct commit){
		.slot = next, .place = !newest, .twin_good = true, .holds_image = true};
	return NULL;
}
