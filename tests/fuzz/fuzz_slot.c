/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The superblock, and the sealed key, which has as many bytes: what decodes can be
 * encoded, and decodes to the same again.
 * Planted and found in 10 s: an unknown state, a reason without end, a region that is too
 * large, lies before the data or behind the image's end, or byte counts that do
 * not fit, accepted.
 */
#include "fuzz.h"

#include "base/util.h"
#include "formats/directory.h"
#include "formats/hostinfo.h"
#include "formats/keyblock.h"
#include "formats/slot.h"

static void check_sealing(const struct slot *s)
{
	const struct slot_region *key = &s->sealing.key, *slots = &s->sealing.keyslots;

	if (!slot_is_sealed(s))
		return;
	fuzz_check(key->length == SLOT_KEY_BYTES && key->offset >= SLOT_DATA_START);
	fuzz_check(key->offset + key->length <= s->image_end);
	fuzz_check(slots->length <= SLOT_KEYSLOTS_MAX);
	fuzz_check(slots->offset + slots->length <= s->image_end);
	fuzz_check(key->offset + key->length <= s->header.offset ||
		   s->header.offset + s->header.length <= key->offset);
}

static void try_key(const uint8_t in[KEYBLOCK_BYTES])
{
	uint8_t again[KEYBLOCK_BYTES];
	struct keyblock k;

	if (!fuzz_fine(keyblock_decode(in, &k)))
		return;
	keyblock_encode(&k, again);
	fuzz_check(!memcmp(in, again, sizeof(again)));
}

static void try_one(const uint8_t in[SLOT_BYTES])
{
	struct slot first = {.failed_resumes = 0x5a5a5a5a}, again;
	uint8_t a[SLOT_BYTES], b[SLOT_BYTES];

	if (!fuzz_fine(slot_decode(in, &first))) {
		fuzz_check(first.failed_resumes == 0x5a5a5a5a && first.state == 0);
		return;
	}
	fuzz_check(!first.reason[SLOT_REASON_MAX - 1]);
	fuzz_check(strcmp(slot_state_name(first.state), "unknown") != 0);
	if (first.state == SLOT_VALID || first.state == SLOT_RESUMING) {
		fuzz_check(first.header.offset >= SLOT_DATA_START);
		fuzz_check(first.header.length <= HOSTINFO_MAX);
		fuzz_check(first.directory.length <= DIRECTORY_MAX);
		fuzz_check(first.directory.offset + first.directory.length <= first.image_end);
		fuzz_check(first.raw_bytes == first.data_pages * PAGE_BYTES);
		check_sealing(&first);
	}
	slot_encode(&first, a);
	fuzz_check(fuzz_fine(slot_decode(a, &again)));
	slot_encode(&again, b);
	fuzz_check(!memcmp(a, b, SLOT_BYTES));
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	uint8_t *slot = malloc(SLOT_BYTES);

	fuzz_check(slot);
	fuzz_take(&in, &n, slot, SLOT_BYTES);
	try_one(slot);
	try_key(slot);
	fuzz_put32(slot + 4092, crc32c(0, slot, 4092));
	try_one(slot);
	try_key(slot);
	free(slot);
	return 0;
}
