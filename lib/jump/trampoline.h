/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The way back from the writer into the host, and what is done on it: by code
 * that runs when the writer's kernel does not any more, be it that it jumped or
 * that it panicked.
 */
#ifndef JUMP_TRAMPOLINE_H
#define JUMP_TRAMPOLINE_H

#include "base/err.h"
#include "base/range.h"
#include "jump/control.h"

#include <stdbool.h>
#include <stdint.h>

/* As the assembly reads it; physical addresses. */
struct trampoline_step {
	uint64_t kind; /* STEP_..., jump/control.h */
	uint64_t a, b, n;
	uint64_t head, mask;
};

struct trampoline {
	uint64_t at;	/* of its TRAMPOLINE_BYTES: in the main window, page aligned */
	uint64_t entry; /* the host's jump-back entry */
	size_t count;
	bool full; /* a step did not fit: loading it fails */
	struct trampoline_step steps[TRAMPOLINE_STEPS_MAX];
	size_t function_count;
	uint32_t functions[TRAMPOLINE_FUNCTIONS_MAX];
};

void trampoline_init(struct trampoline *t, uint64_t at, uint64_t entry);

/* Steps, done in the order in which they were added. */

/* Write a value to an I/O port: bytes is 1, 2 or 4. */
void trampoline_out(struct trampoline *t, uint16_t port, unsigned int bytes, uint32_t value);

/* Write to a register of a PCI function, which is as port 0xcf8 takes it. */
void trampoline_config(struct trampoline *t, uint32_t function, uint8_t at, unsigned int bytes,
		       uint32_t value);

/* Take from these PCI functions, in this order, the right to access memory. At most
 * TRAMPOLINE_FUNCTIONS_MAX, and once. */
void trampoline_stop(struct trampoline *t, const uint32_t *functions, size_t n);

/* Wait for so many cycles of the time stamp counter. */
void trampoline_wait(struct trampoline *t, uint64_t cycles);

/* Copy the last n bytes of a ring to another place. ring_bytes is a power of
 * two; at head lies a 64-bit count of all bytes that were ever written to it. */
void trampoline_copy_ring(struct trampoline *t, uint64_t ring, uint64_t ring_bytes, uint64_t head,
			  uint64_t to, uint64_t n);

/* Clear these ranges (whole pages), except the trampoline's own pages. The last
 * step: what it needs of the writer is gone then. */
void trampoline_wipe(struct trampoline *t, const struct range_list *ranges);

/* Load it; loader_jump then goes there and does not come back. */
err_t trampoline_load(const struct trampoline *t) ERR_CHECK;

/*
 * Load it for a panic of this kernel: at must lie in the memory reserved by
 * crashkernel=. From then on a panic goes there, until disarmed.
 */
err_t trampoline_arm(const struct trampoline *t) ERR_CHECK;
err_t trampoline_disarm(void) ERR_CHECK;

#endif
