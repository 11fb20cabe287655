/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "keys/random.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

err_t random_bytes(void *out, size_t n)
{
	uint8_t *p = out;

	while (n) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno("getrandom");
		p += got;
		n -= (size_t)got;
	}
	return NULL;
}
