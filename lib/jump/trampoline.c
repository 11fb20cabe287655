/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "jump/trampoline.h"

#include "base/util.h"
#include "jump/kexec.h"

#include <assert.h>
#include <string.h>

extern const uint8_t trampoline_start[], trampoline_end[];

static_assert(sizeof(struct trampoline_step) == STEP_BYTES, "the assembly's stride");
static_assert(TRAMPOLINE_STEPS_AT + (TRAMPOLINE_STEPS_MAX + 1) * STEP_BYTES <= TRAMPOLINE_STACK_AT,
	      "all steps, and the one that ends them");
static_assert(TRAMPOLINE_FUNCTIONS_AT + (TRAMPOLINE_FUNCTIONS_MAX + 1) * 4 <= TRAMPOLINE_STEPS_AT,
	      "all functions, and the zero that ends them");
static_assert(CONTROL_TRAMPOLINE + TRAMPOLINE_BYTES <= CONTROL_BYTES, "it has room");

void trampoline_init(struct trampoline *t, uint64_t at, uint64_t entry)
{
	*t = (struct trampoline){.at = at, .entry = entry};
}

static void add(struct trampoline *t, struct trampoline_step step)
{
	if (t->count == TRAMPOLINE_STEPS_MAX)
		t->full = true;
	else
		t->steps[t->count++] = step;
}

void trampoline_out(struct trampoline *t, uint16_t port, unsigned int bytes, uint32_t value)
{
	uint64_t kind = bytes == 1 ? STEP_OUT8 : bytes == 2 ? STEP_OUT16 : STEP_OUT32;

	add(t, (struct trampoline_step){.kind = kind, .a = port, .b = value});
}

void trampoline_config(struct trampoline *t, uint32_t function, uint8_t at, unsigned int bytes,
		       uint32_t value)
{
	trampoline_out(t, PCI_CONFIG_ADDRESS, 4, function | (at & ~3u));
	trampoline_out(t, PCI_CONFIG_DATA + at % 4, bytes, value);
}

void trampoline_stop(struct trampoline *t, const uint32_t *functions, size_t n)
{
	assert(!t->function_count && n <= TRAMPOLINE_FUNCTIONS_MAX);
	memcpy(t->functions, functions, n * sizeof(functions[0]));
	t->function_count = n;
	add(t, (struct trampoline_step){.kind = STEP_STOP});
}

void trampoline_wait(struct trampoline *t, uint64_t cycles)
{
	add(t, (struct trampoline_step){.kind = STEP_WAIT, .n = cycles});
}

void trampoline_copy_ring(struct trampoline *t, uint64_t ring, uint64_t ring_bytes, uint64_t head,
			  uint64_t to, uint64_t n)
{
	add(t, (struct trampoline_step){
		       .kind = STEP_RING,
		       .a = ring,
		       .b = to,
		       .n = min_u64(n, ring_bytes),
		       .head = head,
		       .mask = ring_bytes - 1,
	       });
}

static void wipe_range(struct trampoline *t, uint64_t start, uint64_t end)
{
	if (start < end)
		add(t, (struct trampoline_step){.kind = STEP_WIPE, .a = start, .n = end - start});
}

void trampoline_wipe(struct trampoline *t, const struct range_list *ranges)
{
	uint64_t own_end = t->at + TRAMPOLINE_BYTES;

	for (size_t i = 0; i < ranges->count; i++) {
		const struct range *r = &ranges->r[i];

		wipe_range(t, r->start, min_u64(r->end, t->at));
		wipe_range(t, max_u64(r->start, own_end), r->end);
	}
}

static err_t load(const struct trampoline *t, unsigned long flags)
{
	CLEANUP_FREE uint8_t *pages = aligned_alloc(PAGE_BYTES, TRAMPOLINE_BYTES);
	struct kexec_segment segment = {
		.buf = pages,
		.bufsz = TRAMPOLINE_BYTES,
		.mem = (void *)t->at,
		.memsz = TRAMPOLINE_BYTES,
	};
	size_t code = (size_t)(trampoline_end - trampoline_start);

	if (!pages)
		return err_new(ERR_NOMEM, "loading the way back");
	if (t->full || code > TRAMPOLINE_ENTRY_AT)
		return err_new(ERR_INVALID, "the way back has too many steps");
	memset(pages, 0, TRAMPOLINE_BYTES);
	memcpy(pages, trampoline_start, code);
	memcpy(pages + TRAMPOLINE_FUNCTIONS_AT, t->functions,
	       t->function_count * sizeof(t->functions[0]));
	memcpy(pages + TRAMPOLINE_STEPS_AT, t->steps, t->count * sizeof(t->steps[0]));
	memcpy(pages + TRAMPOLINE_ENTRY_AT, &t->entry, sizeof(t->entry));
	return err_context(kexec_load_segments(t->at, &segment, 1, flags), "loading the way back");
}

err_t trampoline_load(const struct trampoline *t)
{
	return load(t, 0);
}

err_t trampoline_arm(const struct trampoline *t)
{
	return load(t, KEXEC_ON_CRASH);
}

err_t trampoline_disarm(void)
{
	return err_context(kexec_load_segments(0, NULL, 0, KEXEC_ON_CRASH),
			   "taking the way back from a panic away");
}
