/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/medium.h"

#include "base/util.h"
#include "image/swaparea.h"

#include <string.h>

uint64_t medium_offset(int place)
{
	return place ? SLOT_B_OFFSET : SLOT_A_OFFSET;
}

const char *medium_name(int place)
{
	return place ? "superblock B" : "superblock A";
}

void medium_deinit(struct medium *m)
{
	err_free(m->error[0]);
	err_free(m->error[1]);
	err_free(m->page0_error);
}

/*
 * What has been left at the places of the slots by others, among them images of the same
 * machine, when these lay elsewhere, or in the whole of the device.
 */
static err_t check_own(const struct target *t, const struct slot *slot)
{
	if (t->map_place && !medium_same_nonce(slot, t->map_nonce))
		return err_new(ERR_FORMAT, "of another image than the extent map");
	if (!(slot->features_incompat & SLOT_INCOMPAT_LOCATED) != !t->locator)
		return err_new(ERR_FORMAT, "of another kind of target");
	return NULL;
}

static err_t read_slot(const struct target *t, uint8_t *buf, int place, struct medium *m)
{
	err_t e;

	TRY(target_read(t, buf, SLOT_BYTES, medium_offset(place)));
	e = slot_decode(buf, &m->slot[place]);
	/* Not a newer version's image here: what was swapped out may look like anything. */
	if (e && err_kind(e) == ERR_UNSUPPORTED && t->map_place &&
	    memcmp(slot_nonce(buf), t->map_nonce, NONCE_BYTES)) {
		err_free(e);
		return err_new(ERR_FORMAT, "of another image than the extent map");
	}
	TRY(e);
	m->highest = max_u64(m->highest, m->slot[place].generation);
	return check_own(t, &m->slot[place]);
}

err_t medium_read(const struct target *t, struct medium *m)
{
	CLEANUP_FREE uint8_t *buf = target_buffer(SLOT_BYTES);

	if (!buf)
		return err_new(ERR_NOMEM, "reading the superblock");
	for (int i = 0; i < 2; i++) {
		err_t e = read_slot(t, buf, i, m);

		m->good[i] = !e;
		m->foreign[i] = e && err_kind(e) == ERR_FORMAT;
		m->error[i] = err_context(e, "%s of %s", medium_name(i), t->name);
	}
	m->page0_error = err_context(swaparea_read(t, &m->page0), "%s", t->name);
	return NULL;
}

static bool has_error(const struct medium *m, int place, enum err_kind kind)
{
	return m->error[place] && err_kind(m->error[place]) == kind;
}

err_t medium_take_error(struct medium *m, enum err_kind kind)
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

err_t medium_newest(struct medium *m, int *newest)
{
	static const enum err_kind order[] = {ERR_CORRUPT, ERR_IO, ERR_NOSPACE, ERR_FORMAT};
	err_t e = medium_take_error(m, ERR_UNSUPPORTED);

	if (e)
		return e;
	for (size_t i = 0; i < ARRAY_LEN(order) && !m->good[0] && !m->good[1]; i++)
		if ((e = medium_take_error(m, order[i])))
			return e;
	*newest = !m->good[0] || (m->good[1] && b_is_newer(m));
	return NULL;
}

bool medium_same_nonce(const struct slot *slot, const uint8_t nonce[NONCE_BYTES])
{
	return !memcmp(slot->nonce, nonce, NONCE_BYTES);
}

err_t medium_of_image(const struct target *t, const uint8_t nonce[NONCE_BYTES], struct medium *m,
		      int *newest)
{
	TRY(medium_read(t, m));
	TRY(medium_newest(m, newest));
	for (int i = 0; i < 2; i++) {
		if (!m->good[i] || medium_same_nonce(&m->slot[i], nonce))
			continue;
		if (i == *newest || slot_holds_image(&m->slot[i]))
			return err_new(ERR_REFUSED, "%s of %s is of another image by now",
				       medium_name(i), t->name);
		m->good[i] = false;
	}
	return NULL;
}
