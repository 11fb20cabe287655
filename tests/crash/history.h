/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A disk's history: steps of docs/crash-safety.md's table done to it by the real
 * code, with what the table says of each, so that every moment can be judged.
 */
#ifndef CRASH_HISTORY_H
#define CRASH_HISTORY_H

#include "boot.h"
#include "disk.h"

#include <stdbool.h>
#include <stddef.h>

#define STEPS_MAX 64u

/* Letters of a script. */
enum step {
	STEP_BEGIN = 'b',    /* commit_begin, of the next image */
	STEP_WRITE = 'w',    /* the real writer */
	STEP_VALID = 'v',    /* commit_valid */
	STEP_RESUMING = 's', /* commit_resuming */
	STEP_JUMP = 'j',     /* the memory was given control; nothing is written */
	STEP_RETIRE = 'r',   /* commit_retire: return, resumed, discarded, given up */
	STEP_FAILED = 'f',   /* commit_resume_failed */
	STEP_TURN_ON = 'o',  /* another boot turns the swap area on, and uses it */
	STEP_FINISH = 'x',   /* commit_finish, as the next boot does it */
};

/* What a disk holds when nothing is under way. */
struct model {
	bool present;  /* a superblock was written */
	bool marked;   /* page 0 of the swap area says so */
	bool loose;    /* another boot has written there: any slots, but none resumable */
	bool any_twin; /* what the older superblock says does not matter */
	enum slot_state state, twin;
	unsigned int image, failed_resumes;
	uint64_t generation;
	uint64_t dead; /* images by number: their memory must never be given control */
};

/* A step that was tried: operations [first, end) of the disk's log. */
struct span {
	enum step step;
	size_t first, end;
	struct model before, after;
	bool done; /* it said so; otherwise the disk is in a state between the two */
	unsigned int failed_before; /* steps right before this one that were not done */
};

struct history {
	struct disk *disk;
	struct commit commit;
	struct slot slot; /* from the writer to commit_valid */
	bool swap;	  /* the disk is a swap area */
	struct model now;
	unsigned int images, count;
	struct span spans[STEPS_MAX];
};

/* On a disk that is empty, as given. */
void history_init(struct history *h, struct disk *disk);

/* After a power cut: the disk by what a boot sees on it, with these images dead,
 * and so many made. */
void history_take_over(struct history *h, struct disk *disk, const struct boot *seen, uint64_t dead,
		       unsigned int images);

/* One more step. An error is the step's own. */
err_t history_step(struct history *h, enum step step) ERR_CHECK;

/* Steps by their letters; spaces are for the reader. */
err_t history_run(struct history *h, const char *script) ERR_CHECK;

const char *step_name(enum step step);

#endif
