/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/commit.h"

#include "base/util.h"
#include "image/keywipe.h"
#include "image/medium.h"
#include "image/swaparea.h"

#include <stdio.h>
#include <string.h>

static enum commit_page0 page0_of(const struct medium *m)
{
	if (m->page0_error)
		return PAGE0_UNREADABLE;
	switch (m->page0) {
	case SWAPHEADER_SWAP:
		return PAGE0_SWAP;
	case SWAPHEADER_MARKED:
		return PAGE0_MARKED;
	case SWAPHEADER_NONE:
		break;
	}
	return PAGE0_OTHER;
}

static struct commit commit_of(const struct medium *m, int newest)
{
	bool same = medium_same_nonce(&m->slot[!newest], m->slot[newest].nonce);

	return (struct commit){
		.page0 = page0_of(m),
		.slot = m->slot[newest],
		.place = newest,
		.twin_good = m->good[!newest] && same &&
			     m->slot[!newest].generation < m->slot[newest].generation,
		.twin_other = m->good[!newest] && !same,
		.holds_image = slot_holds_image(&m->slot[newest]) ||
			       (m->good[!newest] && slot_holds_image(&m->slot[!newest])),
	};
}

/* In a swap area, idle or in use: does a signature or a locator speak for it too? */
static bool is_swap(const struct slot *slot)
{
	return slot->features_incompat & SLOT_INCOMPAT_MARKED;
}

bool commit_is_dead(const struct commit *c)
{
	if (!slot_holds_image(&c->slot) || c->page0 == PAGE0_UNREADABLE)
		return false;
	return is_swap(&c->slot) ? c->page0 != PAGE0_MARKED : c->page0 != PAGE0_OTHER;
}

err_t commit_check_page0(const struct commit *c)
{
	if (commit_is_dead(c))
		return err_new(ERR_REFUSED,
			       "the swap area was turned on by another boot, or made, since the "
			       "image was written: the image is dead");
	if (is_swap(&c->slot) && c->page0 == PAGE0_UNREADABLE)
		return err_new(ERR_IO, "page 0 of the swap area cannot be read: nobody knows "
				       "whether the image still counts");
	return NULL;
}

/* Of a place that is damaged it is known that it says nothing; of such a one not. */
static bool any_unreadable(const struct medium *m)
{
	for (int i = 0; i < 2; i++)
		if (m->error[i] &&
		    (err_kind(m->error[i]) == ERR_IO || err_kind(m->error[i]) == ERR_NOSPACE))
			return true;
	return false;
}

err_t commit_load(const struct target *t, struct commit *out)
{
	CLEANUP_MEDIUM struct medium m = {0};
	bool unreadable;
	int newest;
	err_t e;

	*out = (struct commit){.place = 1, .twin_good = true};
	TRY(medium_read(t, &m));
	out->page0 = page0_of(&m);
	unreadable = any_unreadable(&m);
	e = medium_newest(&m, &newest);
	if (!e)
		*out = commit_of(&m, newest);
	else
		out->twin_good = err_kind(e) == ERR_FORMAT;
	out->unreadable = unreadable;
	return e;
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
	return err_context(target_write(t, buf, SLOT_BYTES, medium_offset(place)), "%s",
			   medium_name(place));
}

/* Does the medium have the slot, byte for byte? */
static err_t read_back(const struct target *t, int place, const struct slot *slot)
{
	CLEANUP_FREE uint8_t *buf = target_buffer(2 * SLOT_BYTES);

	if (!buf)
		return err_new(ERR_NOMEM, "reading the superblock back");
	slot_encode(slot, buf + SLOT_BYTES);
	TRY(err_context(target_read(t, buf, SLOT_BYTES, medium_offset(place)), "reading back %s",
			medium_name(place)));
	if (memcmp(buf, buf + SLOT_BYTES, SLOT_BYTES))
		return err_new(ERR_IO, "%s of %s reads back other than it was written",
			       medium_name(place), t->name);
	return NULL;
}

/*
 * The same state into both places, the older first; *c is set to the result.
 * Generations are slot->generation + 1 and + 2.
 */
static err_t write_both(const struct target *t, struct commit *c, int newest,
			const struct slot *slot, enum commit_page0 page0)
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
			     .page0 = page0,
			     .place = newest,
			     .twin_good = true,
			     .holds_image = slot_holds_image(&next)};
	return NULL;
}

static err_t take_page0_error(struct medium *m)
{
	err_t e = m->page0_error;

	m->page0_error = NULL;
	return e;
}

err_t commit_begin(const struct target *t, struct commit *c, const uint8_t nonce[NONCE_BYTES],
		   uint64_t created)
{
	CLEANUP_MEDIUM struct medium m = {0};
	struct slot slot = {.state = SLOT_WRITING, .created = created};
	int newest = 1;

	if (t->map_place && memcmp(nonce, t->map_nonce, NONCE_BYTES))
		return err_new(ERR_INVALID, "the extent map of %s is of another image", t->name);
	TRY(medium_read(t, &m));
	TRY(medium_take_error(&m, ERR_UNSUPPORTED));
	TRY(medium_take_error(&m, ERR_IO));
	TRY(medium_take_error(&m, ERR_NOSPACE));
	for (int i = 0; i < 2; i++)
		if (m.good[i] && slot_holds_image(&m.slot[i]))
			return err_new(ERR_REFUSED, "%s holds an image (%s): retire it first",
				       t->name, slot_state_name(m.slot[i].state));
	/* It decides what kind of target this is. */
	TRY(take_page0_error(&m));
	err_free(medium_newest(&m, &newest)); /* nothing that counts: any order will do */
	memcpy(slot.nonce, nonce, NONCE_BYTES);
	slot.generation = m.highest;
	if (m.page0 == SWAPHEADER_NONE && !t->locator)
		return write_both(t, c, newest, &slot, PAGE0_OTHER);
	slot.features_incompat = t->locator ? SLOT_INCOMPAT_LOCATED : SLOT_INCOMPAT_SWAP;
	/* What an image has left there that nobody can read any more. */
	TRY(swaparea_set(t, SWAPHEADER_SWAP));
	return write_both(t, c, newest, &slot, PAGE0_SWAP);
}

/* What a sealed image's tag is over was set before it, and must not be another now. */
static err_t check_tagged(const struct slot *given, const struct slot *next)
{
	uint8_t a[SLOT_TAGGED_BYTES], b[SLOT_TAGGED_BYTES];

	if (!slot_is_sealed(next))
		return NULL;
	slot_tagged(given, a);
	slot_tagged(next, b);
	if (memcmp(a, b, sizeof(a)))
		return err_new(ERR_INVALID, "the superblock differs from what was authenticated");
	return NULL;
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
				       medium_name(i), t->name);
	next.state = SLOT_VALID;
	next.created = m.slot[newest].created;
	next.generation = m.slot[newest].generation + 1;
	memcpy(next.nonce, m.slot[newest].nonce, NONCE_BYTES);
	next.features_incompat |= m.slot[newest].features_incompat & SLOT_INCOMPAT_MARKED;
	TRY(check_tagged(slot, &next));
	/* Protects header, chunks, index and directory: VALID must not reach
	 * the medium before them. And what flush_slots does. */
	TRY(target_flush(t));
	if (is_swap(&next))
		TRY(swaparea_set(t, SWAPHEADER_MARKED));
	TRY(write_slot(t, !newest, &next));
	/* Protects VALID: after this the machine is powered off. */
	TRY(target_flush(t));
	TRY(read_back(t, !newest, &next));
	*c = (struct commit){.page0 = is_swap(&next) ? PAGE0_MARKED : page0_of(&m),
			     .slot = next,
			     .place = !newest,
			     .twin_good = true,
			     .holds_image = true};
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
	struct commit now;
	int newest;

	TRY(medium_of_image(t, c->slot.nonce, &m, &newest));
	TRY(check_image(t, &m.slot[newest]));
	now = commit_of(&m, newest);
	TRY(commit_check_page0(&now));
	now.slot.state = SLOT_RESUMING;
	return write_both(t, c, newest, &now.slot, now.page0);
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

/* The swap area can be turned on again. One that was turned on by another boot, or
 * made anew, is left as it is. */
static err_t restore_header(const struct target *t, struct commit *c)
{
	if (!(is_swap(&c->slot) || t->locator) || c->page0 == PAGE0_SWAP || c->page0 == PAGE0_OTHER)
		return NULL;
	TRY(err_context(swaparea_set(t, SWAPHEADER_SWAP), "the image is retired, and the swap "
							  "area it lay in cannot be used"));
	c->page0 = PAGE0_SWAP;
	return NULL;
}

/* Both slots say RETIRED, or never said more than WRITING: what else is left of it. */
static err_t clean_up(const struct target *t, struct commit *c)
{
	err_t e = c->slot.state == SLOT_RETIRED ? keywipe(t, &c->slot) : NULL;

	/* Without its locator nobody would find the key any more. */
	if (e && t->locator)
		return e;
	return err_first(e, restore_header(t, c));
}

/* Of the same image: the place that says where its key lies may be one that cannot be read
 * any more, and the key would be left there. */
static void keep_sealing(struct slot *slot, const struct slot *known)
{
	if (slot_is_sealed(slot) || !slot_is_sealed(known))
		return;
	slot->features_incompat |= SLOT_INCOMPAT_SEALED;
	slot->sealing = known->sealing;
	memcpy(slot->tag, known->tag, sizeof(slot->tag));
}

err_t commit_retire(const struct target *t, struct commit *c, const char *reason)
{
	CLEANUP_MEDIUM struct medium m = {0};
	struct commit done;
	err_t first = NULL;
	int newest;

	TRY(medium_of_image(t, c->slot.nonce, &m, &newest));
	TRY(flush_slots(t));
	done = (struct commit){
		.slot = m.slot[newest], .page0 = page0_of(&m), .twin_good = !m.foreign[!newest]};
	done.slot.state = SLOT_RETIRED;
	keep_sealing(&done.slot, &c->slot);
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
	TRY(first);
	/* Only now: until both slots say RETIRED, the image is one. */
	TRY(clean_up(t, &done));
	*c = done;
	return NULL;
}

/* Has the next boot, or the next hibernation, something to finish? */
static bool is_unfinished(const struct target *t, const struct commit *c)
{
	if (!is_swap(&c->slot) && !t->locator)
		return false;
	if (c->slot.state == SLOT_RETIRED)
		return c->holds_image || c->page0 == PAGE0_MARKED;
	return slot_holds_image(&c->slot) ? commit_is_dead(c) : c->page0 == PAGE0_MARKED;
}

bool commit_nothing_to_resume(const struct target *t)
{
	struct commit c;
	err_t e = target_flush(t);
	bool nothing;

	if (e) {
		err_free(e);
		return false;
	}
	e = commit_load(t, &c);
	nothing = !c.unreadable && !c.holds_image &&
		  (!e || err_kind(e) == ERR_FORMAT || err_kind(e) == ERR_CORRUPT);
	err_free(e);
	return nothing;
}

err_t commit_finish(const struct target *t, struct commit *c)
{
	struct commit done = *c;
	bool key_left = false;

	if (c->slot.state == SLOT_RETIRED)
		TRY(keywipe_is_left(t, &c->slot, &key_left));
	if (!is_unfinished(t, c) && !key_left)
		return NULL;
	if (c->holds_image)
		return commit_retire(t, c,
				     slot_holds_image(&c->slot)
					     ? "the swap area was turned on by another boot"
					     : c->slot.reason);
	/* Of what both slots say nothing is in the cache only. */
	TRY(flush_slots(t));
	TRY(clean_up(t, &done));
	*c = done;
	return NULL;
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
			       medium_name(!newest), t->name);
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
	*c = (struct commit){.slot = next,
			     .page0 = page0_of(&m),
			     .place = !newest,
			     .twin_good = true,
			     .holds_image = true};
	return NULL;
}
