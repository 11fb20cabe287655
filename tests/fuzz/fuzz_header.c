/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records of a host: the image's header, the handoff to the writer, the report
 * from it; the first byte says which. What decodes can be encoded, and
 * is the same again.
 * Planted and found in 10 s: a record longer than the block, by 64 bytes or a
 * MiB; a string of one byte too many, or any length; a payload of another
 * length, or shorter; a report's text without end.
 */
#include "fuzz.h"
#include "mutate.h"

#include "formats/handoff.h"
#include "formats/hostinfo.h"
#include "formats/report.h"

static void try_hostinfo(const uint8_t *in, size_t n)
{
	static uint8_t a[HOSTINFO_MAX], b[HOSTINFO_MAX];
	struct hostinfo info;
	size_t bytes;

	if (!fuzz_fine(hostinfo_decode(in, n, &info)))
		return;
	fuzz_check(memchr(info.release, 0, sizeof(info.release)));
	fuzz_check(memchr(info.hostname, 0, sizeof(info.hostname)));
	fuzz_check(memchr(info.build_id, 0, sizeof(info.build_id)));
	fuzz_check(info.memory.count <= RANGE_MAX && info.windows.count <= RANGE_MAX);
	bytes = hostinfo_encode(&info, a);
	fuzz_check(fuzz_fine(hostinfo_decode(a, bytes, &info)));
	fuzz_check(hostinfo_encode(&info, b) == bytes && !memcmp(a, b, bytes));
}

static void try_handoff(const uint8_t *in, size_t n)
{
	static uint8_t a[HANDOFF_MAX], b[HANDOFF_MAX];
	static struct handoff h;
	size_t bytes;

	if (!fuzz_fine(handoff_decode(in, n, &h)))
		return;
	fuzz_check(h.extent_count <= HANDOFF_EXTENTS_MAX && h.threads <= HANDOFF_THREADS_MAX);
	bytes = handoff_encode(&h, a);
	fuzz_check(fuzz_fine(handoff_decode(a, bytes, &h)));
	fuzz_check(handoff_encode(&h, b) == bytes && !memcmp(a, b, bytes));
}

/* Both are record blocks; a handoff holds the host's as one of its records. */
static void fix(uint8_t *p, size_t n)
{
	for (size_t at = 16; n >= 24 && at + 8 <= n - 8;) {
		size_t record = fuzz_get32(p + at + 4);

		if (record > n - 8 - at - 8)
			break;
		if (record % 8 == 0 && record >= 24 && !memcmp(p + at + 8, "DORM-", 5))
			fuzz_fix_block(p + at + 8, record);
		at += 8 + (record + 7) / 8 * 8;
	}
	fuzz_fix_block(p, n);
}

static void try_report(const uint8_t *in, size_t n)
{
	static struct report r;
	uint8_t nonce[REPORT_NONCE_BYTES], *a = malloc(REPORT_BYTES), b[REPORT_BYTES];

	fuzz_check(a);
	fuzz_take(&in, &n, a, REPORT_BYTES);
	memcpy(nonce, a + 16, sizeof(nonce));
	(void)fuzz_fine(report_decode(a, nonce, &r));
	fuzz_put32(a + 16380, crc32c(0, a, REPORT_KERNEL_LOG_AT));
	if (fuzz_fine(report_decode(a, nonce, &r))) {
		fuzz_check(!r.text[REPORT_TEXT_MAX - 1] && !r.log[REPORT_LOG_MAX - 1] &&
			   !r.kernel_log[REPORT_LOG_MAX - 1]);
		report_encode(&r, nonce, b);
		fuzz_check(report_matches(b, nonce));
		fuzz_check(fuzz_fine(report_decode(b, nonce, &r)));
	}
	free(a);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned int seed)
{
	if (n < 2 || data[0] % 3 == 2 || mutate_random(&seed, 50) == 0)
		return LLVMFuzzerMutate(data, n, max);
	return 1 + mutate_block(data + 1, n - 1, max - 1, &seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	uint8_t *copy;

	if (!n)
		return 0;
	if (*in % 3 == 2) {
		try_report(in + 1, n - 1);
		return 0;
	}
	copy = fuzz_copy(in + 1, n - 1);
	for (int round = 0; round < 2; round++) {
		if (*in % 3)
			try_handoff(copy, n - 1);
		else
			try_hostinfo(copy, n - 1);
		fix(copy, n - 1);
	}
	free(copy);
	return 0;
}
