/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Single sectors that cannot be read, after each step and before it: an error,
 * and never a resume of the wrong thing, also when they can be read again later.
 */
#include "run.h"

#include "base/util.h"
#include "judge.h"
#include "resume/verdict.h"
#include "view.h"

#include <stdio.h>
#include <string.h>

static const char script[] = "bwvr bwvfsf sjr bwr bwvsr";

#define FIRST_SECTOR (SLOT_A_OFFSET / SECTOR_BYTES)

/* Page 0, superblocks, and on a located target its map. */
static bool in_slot(unsigned int sector, bool located)
{
	uint64_t end = located ? VIEW_MAP_AT + VIEW_MAP_BYTES : SLOT_B_OFFSET + SLOT_BYTES;

	return sector < end / SECTOR_BYTES;
}

static bool in_image(unsigned int sector, const struct slot *slot)
{
	uint64_t at = (uint64_t)sector * SECTOR_BYTES;

	return at >= SLOT_DATA_START && at < slot->image_end;
}

/* What a boot may do while the sector cannot be read. */
static const char *judge_unreadable(const struct model *m, unsigned int sector, bool located,
				    const struct boot *b)
{
	bool is_image = m->state == SLOT_VALID && !(m->dead >> m->image & 1);
	const char *text = judge_boot(m->dead, b);

	if (text)
		return text;
	if (in_slot(sector, located))
		return b->resumes || b->retries ? "resumed beside an unreadable superblock" : NULL;
	if (is_image && !b->retries)
		return "an image is refused before it was read";
	if (b->checked && in_image(sector, &b->commit.slot))
		return b->check == ERR_IO ? NULL : "an unreadable sector is no error of reading";
	return b->checked && b->check ? "a sector that is not of the image matters" : NULL;
}

static void mark(const struct disk *d, struct commit *c)
{
	struct target t;
	err_t e = view_boot(d, &t);

	if (!e) {
		e = commit_resume_failed(&t, c, "unreadable");
		target_close(&t);
	}
	err_free(e);
}

/*
 * The boot goes on: it, or the writer that could not read the image, marks it.
 * The next boot can read the sector again.
 */
static const char *judge_later(struct disk *d, uint64_t dead, struct boot *b)
{
	/* A boot that cannot read the slot that says VALID has nothing to mark, and
	 * cannot know. docs/crash-safety.md, "What is not there yet". */
	bool went_on = !b->load && b->commit.slot.state == SLOT_VALID && (!b->resumes || b->check);

	if (went_on && verdict_marks(&b->commit))
		mark(d, &b->commit);
	memset(d->unreadable, 0, sizeof(d->unreadable));
	boot_look(d, true, b);
	if (b->resumes && went_on)
		return "resumed unasked although a boot went on without it";
	return judge_boot(dead, b);
}

static void try_sector(struct run *r, const struct history *h, const uint8_t *content,
		       unsigned int sector)
{
	struct disk *d = r->scratch;
	const char *text;
	struct boot b;

	if (!run_wants(r))
		return;
	disk_reset(d, content);
	d->unreadable[sector] = true;
	boot_look(d, false, &b);
	text = judge_unreadable(&h->now, sector, d->located, &b);
	if (!text)
		text = judge_later(d, h->now.dead, &b);
	if (!text)
		text = judge_next(d, h->images, false);
	run_result(r, text, "%s, after step %u (%s), sector %u", script, h->count,
		   step_name(h->spans[h->count - 1].step), sector);
}

/*
 * A history that begins with a disk that is in one state and looks like another:
 * as if a step between the two had failed.
 */
static void begin_unreadable(struct history *h, const struct history *before, unsigned int slots)
{
	struct boot seen;

	for (unsigned int i = 0; i < 2; i++)
		before->disk->unreadable[FIRST_SECTOR + 8 * i + 3] = slots >> i & 1;
	boot_look(before->disk, false, &seen);
	history_take_over(h, before->disk, &seen, before->now.dead, before->images);
	h->commit = before->commit;
	h->spans[0] = (struct span){.before = h->now, .after = before->now};
	h->count = 1;
}

/* The next step, with a sector of these slots unreadable until it is written. */
static void try_step(struct run *r, const struct history *before, enum step step,
		     const uint8_t *content, unsigned int slots)
{
	static struct history h; /* too large for the stack */
	enum err_kind kind;
	err_t e;

	disk_reset(before->disk, content);
	begin_unreadable(&h, before, slots);
	e = history_step(&h, step);
	kind = e ? err_kind(e) : ERR_IO;
	if (run_wants(r))
		run_result(r, kind == ERR_IO || kind == ERR_REFUSED ? NULL : err_text(e),
			   "%s, unreadable before step %u (%s)", script, before->count + 1,
			   step_name(step));
	err_free(e);
	run_cuts(r, "unreadable superblock", &h, 1);
	disk_reset(h.disk, content);
}

void sectors_run(struct run *r)
{
	static uint8_t content[DISK_BYTES];
	static struct history h; /* too large for the stack, all of these */
	struct disk *d = disk_create(r->located);
	unsigned int stride = r->rounds < 4 ? 7 : 1;

	disk_reset(d, swap_blank(r->swap));
	history_init(&h, d);
	for (const char *p = script; *p; p++) {
		if (*p == ' ')
			continue;
		memcpy(content, d->view, DISK_BYTES);
		for (unsigned int slots = 1; slots < 4 && *p != 'w' && *p != 'j'; slots++)
			try_step(r, &h, (enum step) * p, content, slots);
		err_free(history_step(&h, (enum step) * p));
		memcpy(content, d->view, DISK_BYTES);
		for (unsigned int s = r->swap ? 0 : FIRST_SECTOR; s < DISK_SECTORS / 2;
		     s += in_slot(s, r->located) ? 1 : stride)
			try_sector(r, &h, content, s);
	}
	disk_destroy(d);
}
