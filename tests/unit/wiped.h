/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was wiped: explicit_bzero in place of libc's, by which a test sees whether each place
 * that a secret was in is, whatever is written there later. */
#ifndef WIPED_H
#define WIPED_H

#include <stdint.h>
#include <string.h>

#define WIPED_MAX   16u
#define WIPED_BYTES 65536u /* of one wipe; what is behind is not kept */

static struct {
	size_t n;
	uint8_t bytes[WIPED_BYTES];
} wipes[WIPED_MAX];

static unsigned int wipe_count;

void explicit_bzero(void *p, size_t n)
{
	if (wipe_count < WIPED_MAX) {
		wipes[wipe_count].n = n < WIPED_BYTES ? n : WIPED_BYTES;
		memcpy(wipes[wipe_count].bytes, p, wipes[wipe_count].n);
		wipe_count++;
	}
	memset(p, 0, n);
	__asm__ volatile("" : : "r"(p) : "memory");
}

static inline void wiped_reset(void)
{
	wipe_count = 0;
}

/* In how many of the places that were wiped these bytes were. */
static inline unsigned int wiped(const void *bytes, size_t n)
{
	unsigned int found = 0;

	for (unsigned int i = 0; i < wipe_count; i++)
		found += memmem(wipes[i].bytes, wipes[i].n, bytes, n) != NULL;
	return found;
}

#endif
