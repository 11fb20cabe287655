/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The swap areas that are on, out of /proc/swaps. */
#ifndef HOST_SWAPS_H
#define HOST_SWAPS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define SWAPS_MAX      32
#define SWAPS_PATH_MAX 512

struct swap {
	char path[SWAPS_PATH_MAX];
	bool is_file;
	uint64_t bytes, used;
	int priority;
};

struct swaps {
	uint32_t count;
	struct swap list[SWAPS_MAX];
};

/* Of the file's text, which is changed. Those whose file was deleted are left out.
 * ERR_INVALID: it does not look like that file; ERR_REFUSED: more than SWAPS_MAX. */
err_t swaps_parse(char *text, struct swaps *out) ERR_CHECK;
err_t swaps_read(struct swaps *out) ERR_CHECK;

/* The one that is this device or file, by whatever name; NULL: it is not on. */
const struct swap *swaps_find(const struct swaps *s, const char *path);

#endif
