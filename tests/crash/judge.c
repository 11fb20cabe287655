/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "judge.h"
#include "view.h"

#include "base/util.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *judge_boot(uint64_t dead, const struct boot *b)
{
	bool is_dead = b->image < IMAGES_MAX && dead >> b->image & 1;

	if ((b->resumes || b->retries) && b->commit.slot.state != SLOT_VALID)
		return "something is resumed that is not VALID";
	if ((b->resumes || b->retries) && is_dead)
		return "an image is resumed that was used up or given up";
	if ((b->resumes || b->retries) && !b->commit.twin_good)
		return "an image is resumed beside a damaged superblock";
	if (b->resumes && b->commit.slot.failed_resumes)
		return "an image that was refused once is resumed without asking";
	if ((b->resumes || b->retries) && b->page0 == SWAPHEADER_SWAP)
		return "an image is resumed from a swap area that can be turned on";
	if (!b->page0_kept)
		return "page 0 has lost more than its signature";
	if (b->check == ERR_INVALID)
		return "other memory is restored than was saved";
	return NULL;
}

static bool is_state(const struct model *m, const struct boot *b)
{
	const struct slot *s = &b->commit.slot;

	/* Of failures only whether there were any, and only where it matters: the
	 * count is one off when a slot cannot be read, or a step has failed. */
	return s->generation == m->generation && s->state == m->state && b->image == m->image &&
	       (s->state != SLOT_VALID || !s->failed_resumes == !m->failed_resumes);
}

/* A slot that the step has written, perhaps only the first of two. Its generation
 * is that of before when the slot that counted could not be read. */
static bool is_new(const struct span *s, const struct boot *b)
{
	struct model m = s->after;

	m.generation = b->commit.slot.generation;
	return m.generation >= s->before.generation && m.generation <= s->after.generation &&
	       is_state(&m, b);
}

/* Retiring goes on to the second slot when the first failed, and may tear both:
 * then there is nothing to resume, which is what it is for. */
static bool was_torn_apart(const struct span *s)
{
	for (unsigned int i = 0; i <= s->failed_before; i++)
		if ((s - i)->step == STEP_RETIRE && !(s - i)->done)
			return true;
	return false;
}

/* A new map makes an older image's slots count no more, before they are written. */
static bool was_laid_out(const struct span *s)
{
	for (unsigned int i = 0; i <= s->failed_before; i++)
		if ((s - i)->step == STEP_BEGIN)
			return true;
	return false;
}

/* The signature and the slots, after a cut anywhere. */
static const char *judge_page0(const struct span *s, bool done, const struct boot *b)
{
	if (b->page0 == SWAPHEADER_NONE || s->before.loose || s->after.loose)
		return NULL;
	if (!b->load && slot_holds_image(&b->commit.slot) && b->page0 != SWAPHEADER_MARKED)
		return "there is an image, and the swap header does not tell of it";
	if (done && s->after.present && (b->page0 == SWAPHEADER_MARKED) != s->after.marked)
		return "the step was done, and the swap header says otherwise";
	return NULL;
}

static const char *judge_between(const struct span *s, const struct boot *b)
{
	if (s->before.loose || s->after.loose)
		return NULL;
	if (was_torn_apart(s) && (b->load == ERR_CORRUPT || !b->retries))
		return NULL;
	if (b->load && was_laid_out(s) && !b->found && b->page0 == SWAPHEADER_SWAP)
		return NULL;
	if (b->load && s->before.present)
		return "no superblock is left that can be used";
	if (b->load)
		return b->load == ERR_FORMAT || b->load == ERR_CORRUPT ? NULL : "a strange error";
	if (is_state(&s->before, b))
		return NULL;
	/* What a step that failed has written may count as well. */
	for (unsigned int i = 0; i <= s->failed_before; i++)
		if (is_new(s - i, b))
			return NULL;
	if (b->commit.slot.generation < s->before.generation)
		return "an older superblock counts again";
	return "neither the old state nor the new one";
}

/* The key of an image whose superblock says that it is no more. */
static bool key_is_left(const struct boot *b)
{
	const struct slot *s = &b->commit.slot;

	return !b->load && s->state == SLOT_RETIRED && slot_is_sealed(s) && b->image < IMAGES_MAX &&
	       b->keys >> b->image & 1;
}

static const char *judge_after(const struct span *s, const struct boot *b)
{
	const struct model *m = &s->after;
	int twin = !b->commit.place;

	if (m->loose)
		return b->page0 == SWAPHEADER_SWAP ? NULL : "swap is on, and its header is not";
	if (s->step == STEP_RETIRE && key_is_left(b))
		return "the image was retired, and its sealed key is left";
	if (!m->present)
		return b->load == ERR_FORMAT ? NULL : "an empty disk is not seen as empty";
	if (b->load || !is_state(m, b))
		return "the step was done, and is not on the medium";
	if (!m->any_twin && (b->slot_state[twin] != m->twin || !b->commit.twin_good))
		return "the step was done, and the other superblock says otherwise";
	if (m->state == SLOT_VALID && !m->any_twin &&
	    (!b->retries || b->resumes != !m->failed_resumes))
		return "an image that is whole is not resumed";
	return NULL;
}

const char *judge_cut(const struct span *s, bool between, const struct boot *b)
{
	bool done = s->done && !between;
	const char *text = judge_boot(done ? s->after.dead : s->before.dead, b);

	if (!text && b->checked && b->check)
		text = "a VALID image is not whole";
	if (!text)
		text = judge_page0(s, done, b);
	if (text)
		return text;
	return done ? judge_after(s, b) : judge_between(s, b);
}

const char *judge_finish(struct disk *d, const struct boot *before)
{
	struct boot b;
	bool swap;
	err_t e = view_finish(d, NULL);

	/* Of a located target the locator is put back although its slots are nothing. */
	if (e || (before->load && !(d->located && before->load == ERR_FORMAT))) {
		err_free(e);
		return before->load ? NULL : "the next boot cannot finish what was cut short";
	}
	boot_look(d, true, &b);
	swap = b.page0 != SWAPHEADER_MARKED;
	if (b.found && slot_holds_image(&b.commit.slot) && commit_is_dead(&b.commit))
		return "a dead image is left as it is";
	if (b.page0 != SWAPHEADER_NONE && swap == (b.found && slot_holds_image(&b.commit.slot)))
		return "the next boot cannot turn swap on";
	if (key_is_left(&b))
		return "the next boot leaves the sealed key of what was retired";
	if (b.resumes != before->resumes || b.retries != before->retries)
		return "what is resumed is changed by finishing";
	return judge_boot(0, &b);
}

const char *judge_give_up(struct disk *d, const struct boot *before)
{
	struct commit c = before->commit;
	struct target t;
	err_t e;

	if (before->verdict != OUTCOME_HOPELESS)
		return NULL;
	e = view_boot(d, &t);
	if (!e) {
		e = commit_retire(&t, &c, "discarded at boot");
		target_close(&t);
	}
	if (!e)
		return NULL;
	err_free(e);
	return "what no boot can resume cannot be given up";
}

/* What the writer leaves of one image, written once. */
struct copy {
	bool made;
	struct slot slot;
	uint8_t content[DISK_BYTES];
};

static err_t write_copy(const struct target *t, unsigned int number, const struct slot *begun,
			struct slot *slot)
{
	static struct copy copies[IMAGES_MAX]; /* one thread judges */
	struct copy *c = &copies[number];
	CLEANUP_FREE uint8_t *buf = NULL;
	size_t n;

	if (!c->made) {
		struct disk *d = disk_create(false);
		err_t e = image_write(&d->target, number, begun, &c->slot);

		assert(!e);
		memcpy(c->content, d->view, DISK_BYTES);
		c->made = true;
		disk_destroy(d);
	}
	n = c->slot.image_end - SLOT_DATA_START;
	buf = target_buffer(n);
	assert(buf);
	memcpy(buf, c->content + SLOT_DATA_START, n);
	*slot = c->slot;
	TRY(image_again(number, begun, slot));
	return target_write(t, buf, n, SLOT_DATA_START);
}

static err_t nothing_there(err_t e)
{
	if (err_kind(e) != ERR_FORMAT && err_kind(e) != ERR_CORRUPT)
		return e;
	err_free(e);
	return NULL;
}

static err_t retire_found(const struct target *t)
{
	struct commit c;
	err_t e = commit_load(t, &c);

	if (e)
		return nothing_there(e);
	if (!c.holds_image)
		return commit_finish(t, &c);
	return commit_retire(t, &c, "superseded");
}

/* As host/session/session_open.c does it with an image of an earlier session. */
static err_t retire_stale(struct disk *d)
{
	struct target t;
	err_t e = view_boot(d, &t);

	if (e)
		return nothing_there(e);
	e = retire_found(&t);
	target_close(&t);
	return e;
}

static err_t hibernate_on(const struct target *t, unsigned int number, bool rewrite)
{
	uint8_t nonce[NONCE_BYTES];
	struct commit c;
	struct slot slot;

	image_nonce(number, nonce);
	TRY(commit_begin(t, &c, nonce, 1700000001));
	if (rewrite)
		TRY(image_write(t, number, &c.slot, &slot));
	else
		TRY(write_copy(t, number, &c.slot, &slot));
	return commit_valid(t, &c, &slot);
}

static err_t hibernate(struct disk *d, unsigned int number, bool rewrite)
{
	struct target t;
	err_t e;

	TRY(retire_stale(d));
	TRY(view_make(d, number, &t));
	e = hibernate_on(&t, number, rewrite);
	target_close(&t);
	return e;
}

const char *judge_next(struct disk *d, unsigned int number, bool rewrite)
{
	err_t e = hibernate(d, number, rewrite);
	struct boot b;

	if (e) {
		bool unreadable = err_kind(e) == ERR_IO;

		err_free(e);
		return unreadable ? "the next hibernation has an error of the disk"
				  : "the next hibernation is refused";
	}
	boot_look(d, true, &b);
	return b.resumes && b.image == number && !b.check ? NULL : "the next image is not resumed";
}
