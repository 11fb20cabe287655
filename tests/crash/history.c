/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "history.h"
#include "view.h"

#include <assert.h>
#include <string.h>

const char *step_name(enum step step)
{
	switch (step) {
	case STEP_BEGIN:
		return "begin";
	case STEP_WRITE:
		return "write";
	case STEP_VALID:
		return "valid";
	case STEP_RESUMING:
		return "resuming";
	case STEP_JUMP:
		return "jump";
	case STEP_RETIRE:
		return "retire";
	case STEP_FAILED:
		return "resume failed";
	case STEP_TURN_ON:
		return "turn on";
	case STEP_FINISH:
		return "finish";
	}
	return "?";
}

void history_init(struct history *h, struct disk *disk)
{
	memset(h, 0, sizeof(*h));
	h->disk = disk;
	h->swap = swap_kind(disk) != SWAPHEADER_NONE;
	h->now.image = IMAGES_MAX;
}

void history_take_over(struct history *h, struct disk *disk, const struct boot *seen, uint64_t dead,
		       unsigned int images)
{
	history_init(h, disk);
	h->commit = seen->commit;
	h->images = images;
	h->now = (struct model){
		.present = !seen->load,
		.any_twin = true,
		.state = seen->commit.slot.state,
		.image = seen->image,
		.failed_resumes = seen->commit.slot.failed_resumes,
		.generation = seen->commit.slot.generation,
		.dead = dead,
		.marked = seen->page0 == SWAPHEADER_MARKED,
		.loose = !seen->load && commit_is_dead(&seen->commit),
	};
}

static uint64_t bit(unsigned int image)
{
	return image < IMAGES_MAX ? 1ull << image : 0;
}

/* What the table says comes out of a step, but for the generation. */
static struct model outcome(const struct history *h, enum step step)
{
	struct model m = h->now;

	switch (step) {
	case STEP_BEGIN:
		m.dead |= bit(m.image);
		m = (struct model){.present = true,
				   .state = SLOT_WRITING,
				   .twin = SLOT_WRITING,
				   .image = h->images,
				   .dead = m.dead};
		break;
	case STEP_VALID:
		m.twin = m.state;
		m.state = SLOT_VALID;
		m.marked = h->swap;
		break;
	case STEP_RESUMING:
		m.state = m.twin = SLOT_RESUMING;
		break;
	case STEP_RETIRE:
		m.state = m.twin = SLOT_RETIRED;
		m.marked = false;
		m.dead |= bit(m.image);
		break;
	case STEP_FAILED:
		m.twin = m.state;
		m.state = SLOT_VALID;
		m.failed_resumes++;
		break;
	case STEP_JUMP:
		m.dead |= bit(m.image);
		break;
	case STEP_TURN_ON:
		m.dead |= bit(m.image);
		m.loose = true;
		m.marked = false;
		return m;
	case STEP_FINISH:
		if (m.state != SLOT_VALID && m.state != SLOT_RESUMING)
			m.marked = false;
		return m;
	case STEP_WRITE:
		return m;
	}
	m.any_twin = false;
	return m;
}

/* How many slots the step writes: each takes one generation. */
static unsigned int slots_written(enum step step)
{
	switch (step) {
	case STEP_BEGIN:
	case STEP_RESUMING:
	case STEP_RETIRE:
		return 2;
	case STEP_VALID:
	case STEP_FAILED:
		return 1;
	case STEP_WRITE:
	case STEP_JUMP:
	case STEP_TURN_ON:
	case STEP_FINISH:
		break;
	}
	return 0;
}

static err_t act_on(struct history *h, const struct target *t, enum step step)
{
	uint8_t nonce[NONCE_BYTES];

	switch (step) {
	case STEP_BEGIN:
		image_nonce(h->images, nonce);
		return commit_begin(t, &h->commit, nonce, 1700000000);
	case STEP_WRITE:
		return image_write(t, h->now.image, &h->commit.slot, &h->slot);
	case STEP_VALID:
		return commit_valid(t, &h->commit, &h->slot);
	case STEP_RESUMING:
		return commit_resuming(t, &h->commit);
	case STEP_RETIRE:
		return commit_retire(t, &h->commit, "retired by a test");
	case STEP_FAILED:
		return commit_resume_failed(t, &h->commit, "failed by a test");
	case STEP_TURN_ON:
	case STEP_FINISH:
	case STEP_JUMP:
		break;
	}
	return NULL;
}

static err_t act(struct history *h, enum step step)
{
	struct target t;
	err_t e;

	switch (step) {
	case STEP_TURN_ON:
		swap_turn_on(h->disk, h->images + h->count);
		return NULL;
	case STEP_FINISH:
		return view_finish(h->disk, &h->commit);
	case STEP_JUMP:
		return NULL;
	case STEP_BEGIN:
		TRY(view_make(h->disk, h->images, &t));
		break;
	default:
		TRY(view_open(h->disk, &t));
	}
	e = act_on(h, &t, step);
	target_close(&t);
	return e;
}

err_t history_step(struct history *h, enum step step)
{
	const struct span *last = h->count ? &h->spans[h->count - 1] : NULL;
	struct span *s = &h->spans[h->count];
	err_t e;

	assert(h->count < STEPS_MAX && h->images < IMAGES_MAX);
	*s = (struct span){.step = step, .first = h->disk->ops, .before = h->now};
	h->count++;
	s->after = outcome(h, step);
	s->after.generation = h->now.generation + slots_written(step);
	if (last && !last->done) {
		s->failed_before = last->failed_before + 1;
		s->after.generation = last->after.generation + slots_written(step);
		s->after.any_twin |= slots_written(step) == 1;
	}
	e = act(h, step);
	s->done = !e;
	s->end = h->disk->ops;
	if (s->done && slots_written(step))
		s->after.generation = h->commit.slot.generation;
	if (s->done)
		h->now = s->after;
	if (step == STEP_BEGIN)
		h->images++;
	return e;
}

err_t history_run(struct history *h, const char *script)
{
	for (; *script; script++)
		if (*script != ' ')
			TRY(history_step(h, (enum step) * script));
	return NULL;
}
