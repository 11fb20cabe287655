/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes and flushes that fail: each one of each step, once or from then on. The
 * step must say so; then what its caller does about it, with power cuts all along.
 */
#include "run.h"

#include "base/util.h"

#include <stdio.h>
#include <string.h>

static const char *const scripts[] = {"bwvr bwvfsjr", "bwvfsr bwr bwvsfr"};

static const struct disk_fault faults[] = {
	{.kind = FAULT_ERROR},
	{.kind = FAULT_ERROR, .landed = 3},
	{.kind = FAULT_ERROR, .landed = DISK_SECTORS},
	{.kind = FAULT_ERROR, .cache_lost = true},
	{.kind = FAULT_ERROR, .landed = 3, .lasting = true},
	{.kind = FAULT_ERROR, .cache_lost = true, .lasting = true},
};

/* What the step's caller does when it fails. */
static enum step reaction(enum step step)
{
	switch (step) {
	case STEP_WRITE: /* the writer: before it jumps back into the host */
	case STEP_VALID:
		return STEP_RETIRE;
	case STEP_RESUMING: /* the writer: before it reboots */
		return STEP_FAILED;
	default: /* the host, or the next boot, tries again */
		return step;
	}
}

/* A step with the fault. Whether an operation was there for it to hit. */
static bool fail_step(struct run *r, const char *name, struct history *h, enum step step,
		      const struct disk_fault *fault)
{
	const char *text = NULL;
	bool hit;
	err_t e;

	disk_plant(h->disk, fault);
	e = history_step(h, step);
	hit = h->disk->seen > fault->nth;
	if (hit && !e)
		text = "an operation failed, and the step says that it was done";
	else if (e && err_kind(e) != ERR_IO)
		text = "the error is of the wrong kind";
	if (hit && run_wants(r))
		run_result(r, text, "%s, operation %u of the step", name, fault->nth);
	err_free(e);
	return hit;
}

/* The caller's reaction, at first with the fault if it lasts. */
static void react(struct run *r, const char *name, struct history *h, enum step step,
		  const struct disk_fault *fault)
{
	struct boot b;
	err_t e;

	if (fault->lasting)
		err_free(history_step(h, reaction(step)));
	disk_plant(h->disk, NULL);
	e = history_step(h, reaction(step));
	boot_look(h->disk, true, &b);
	if (e && reaction(step) == STEP_RETIRE && b.load == ERR_CORRUPT) {
		err_free(e); /* both are torn by now: as good as retired */
		e = NULL;
	}
	if (run_wants(r))
		run_result(r, e ? err_text(e) : NULL, "%s, after it: %s", name,
			   step_name(reaction(step)));
	err_free(e);
}

/* Each operation of one step fails. h, content: before it, or before the writer. */
static void fail_each(struct run *r, const struct history *before, const char *steps,
		      const char *name)
{
	static uint8_t content[DISK_BYTES]; /* these two: too large for the stack */
	static struct history h;

	memcpy(content, before->disk->view, DISK_BYTES);
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct disk_fault fault = faults[i];
		bool more = true;

		for (fault.nth = 0; more; fault.nth++) {
			enum step last = (enum step)steps[strlen(steps) - 1];

			h = *before;
			h.count = 0;
			disk_reset(h.disk, content);
			if (steps[1])
				err_free(history_step(&h, (enum step)steps[0]));
			more = fail_step(r, name, &h, last, &fault);
			if (!more)
				break;
			react(r, name, &h, last, &fault);
			run_cuts(r, name, &h, h.count - 2 - fault.lasting);
		}
	}
	disk_reset(before->disk, content);
}

void failures_run(struct run *r)
{
	struct disk *d = disk_create(r->located);
	static struct history h;

	r->one_in = r->rounds < 4 ? 20 : 2;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		disk_reset(d, swap_blank(r->swap));
		history_init(&h, d);
		for (const char *p = scripts[i]; *p; p++) {
			/* The writer's data are not flushed: they are cut with VALID. */
			char steps[3] = {*p}, name[80];

			if (p[0] == 'w' && p[1] == 'v')
				snprintf(steps, sizeof(steps), "wv");
			if (*p == ' ' || *p == 'j' || *p == 'v')
				continue;
			snprintf(name, sizeof(name), "%s, failing at %zu", scripts[i],
				 (size_t)(p - scripts[i]));
			if (steps[1]) {
				char write[2] = {'w'};

				fail_each(r, &h, write, name);
			}
			fail_each(r, &h, steps, name);
			err_free(history_run(&h, steps));
		}
	}
	r->one_in = 1;
	disk_destroy(d);
}
