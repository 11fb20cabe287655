/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fingerprint/xfslog.h"

#include <stddef.h>

#define MAGIC	0xfeedbabeu /* of a record's header (fs/xfs/libxfs/xfs_log_format.h) */
#define SAMPLES 64u

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The first word, in a record's header the second (xlog_get_cycle). */
static err_t cycle_at(const struct xfslog *log, uint64_t sector, uint32_t *cycle)
{
	uint8_t buf[XFSLOG_SECTOR] = {0};

	TRY(log->read(log->arg, sector, buf));
	*cycle = be32(buf) == MAGIC ? be32(buf + 4) : be32(buf);
	return NULL;
}

/* Of an older round, or (in the first) never written? */
static bool is_older(uint32_t cycle, uint32_t now)
{
	return cycle == now - 1 || (cycle == 0 && now == 1);
}

/* Samples of both sides: chance does not look like this. */
static err_t is_ring(const struct xfslog *log, uint64_t head, uint32_t now, bool *yes)
{
	*yes = true;
	for (uint64_t i = 0; *yes && i < SAMPLES; i++) {
		uint64_t sector = log->sectors / SAMPLES * i;
		uint32_t cycle;

		TRY(cycle_at(log, sector, &cycle));
		*yes = sector < head ? cycle == now : is_older(cycle, now);
	}
	return NULL;
}

err_t xfslog_head(const struct xfslog *log, uint64_t *head, bool *found)
{
	uint64_t low = 0, high = log->sectors - 1; /* of this round; older, or the last */
	uint32_t now, cycle;

	*found = false;
	if (log->sectors < SAMPLES)
		return NULL;
	TRY(cycle_at(log, 0, &now));
	TRY(cycle_at(log, high, &cycle));
	if (!now) /* never written, or no log */
		return NULL;
	if (cycle == now) { /* the round is complete */
		*head = 0;
		return is_ring(log, log->sectors, now, found);
	}
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		TRY(cycle_at(log, middle, &cycle));
		if (cycle == now)
			low = middle;
		else
			high = middle;
	}
	*head = high;
	return is_ring(log, high, now, found);
}
