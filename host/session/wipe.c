/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/session/wipe.h"

#include "base/util.h"
#include "formats/slot.h"
#include "image/located.h"

#include <stdio.h>

/* Whole pages, since a disk may have sectors of 4096 bytes. */
static int say_zeros(const char *device, uint64_t at, unsigned int bytes, char *out, size_t n)
{
	return snprintf(out, n, "dd if=/dev/zero of=%s bs=4096 seek=%llu count=%u oflag=direct",
			device, (unsigned long long)(at / PAGE_BYTES), bytes / PAGE_BYTES);
}

/* The locator is the end of the area's page 0, which no kernel takes for swap any more. */
static void say_swap(const struct location *l, char *out, size_t n)
{
	int used =
		say_zeros(l->disk.disk_name, l->pin.byte - LOCATED_LOCATOR_AT, PAGE_BYTES, out, n);

	if (used >= 0 && (size_t)used < n)
		snprintf(out + used, n - (size_t)used, "; swapoff %s; mkswap %s", l->name, l->name);
}

/* A boot asks for the passphrase only where the token is. */
static void say_luks(const char *device, char *out, size_t n)
{
	snprintf(out, n,
		 "cryptsetup token remove --token-id N %s, where N is the number of "
		 "dormouse-image in what cryptsetup luksDump %s shows",
		 device, device);
}

void wipe_say(const struct location *l, char *out, size_t n)
{
	if (l->kind == LOCATION_LUKS)
		say_luks(location_device(l), out, n);
	else if (location_is_swap(l))
		say_swap(l, out, n);
	else if (location_is_located(l))
		say_zeros(l->disk.disk_name, l->pin.byte, SLOT_DATA_START, out, n);
	else
		say_zeros(l->name, 0, SLOT_DATA_START, out, n);
}
