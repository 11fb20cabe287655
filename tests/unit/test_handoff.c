/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planted faults that made it fail: overlap of extents not checked, end of an
 * extent computed by a sum that wraps, THEN not required, addresses not held
 * against the main window; SEED not required with SEAL, IMAGE_KEY taken to hibernate.
 */
#include "unit.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "formats/handoff.h"
#include "sample_host.h"

static uint8_t buf[HANDOFF_MAX];

static struct handoff sample(void)
{
	struct handoff h = {
		.mode = HANDOFF_HIBERNATE,
		.then = HANDOFF_RETURN,
		.verify = HANDOFF_VERIFY_FULL,
		.time_limit = 1800,
		.device_bytes = 1 << 30,
		.device_name = "/dev/vda2",
		.extent_count = 2,
		.extents = { { 0x100000, 0x200000 }, { 0x10000, 0x4000 } },
		.codec = 1,
		.codec_level = 3,
		.threads = 2,
		.mailbox = 0x10000f80, /* within its page */
		.trampoline = 0x13fff000,
		.boot_log = "dormouse-resume: resuming\n",
		.host = sample_host(),
	};

	memset(h.nonce, 0x42, sizeof(h.nonce));
	h.host.jump_entry = 0;
	return h;
}

static err_t decode_copy(size_t n, struct handoff *out)
{
	uint8_t *copy = unit_copy(buf, n);
	err_t e = handoff_decode(copy, n, out);

	free(copy);
	return e;
}

static void reseal(size_t n)
{
	le32_t crc = le32_of(crc32c(0, buf, n - 4));

	memcpy(buf + n - 4, &crc, sizeof(crc));
}

static void assert_same(const struct handoff *a, const struct handoff *b)
{
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->then, b->then);
	assert_int_equal(a->verify, b->verify);
	assert_int_equal(a->time_limit, b->time_limit);
	assert_string_equal(a->boot_log, b->boot_log);
	assert_memory_equal(a->nonce, b->nonce, sizeof(a->nonce));
	assert_int_equal(a->device_bytes, b->device_bytes);
	assert_string_equal(a->device_name, b->device_name);
	assert_int_equal(a->extent_count, b->extent_count);
	assert_memory_equal(a->extents, b->extents, a->extent_count * sizeof(a->extents[0]));
	assert_int_equal(a->codec, b->codec);
	assert_int_equal(a->codec_level, b->codec_level);
	assert_int_equal(a->threads, b->threads);
	assert_int_equal(a->mailbox, b->mailbox);
	assert_int_equal(a->trampoline, b->trampoline);
	assert_same_host(&a->host, &b->host);
}

static void round_trip(void **state)
{
	struct handoff h = sample(), got;

	(void)state;
	assert_ok(decode_copy(handoff_encode(&h, buf), &got));
	assert_same(&h, &got);

	h.mode = HANDOFF_RESTORE;
	h.then = (enum handoff_then)0;
	h.verify = (enum handoff_verify)0;
	h.time_limit = 0;
	h.mailbox = h.trampoline = 0;
	assert_ok(decode_copy(handoff_encode(&h, buf), &got));
	assert_same(&h, &got);
}

static void limits(void **state)
{
	struct handoff h = sample(), got;

	(void)state;
	h.extent_count = EXTENTS_MAX;
	for (uint32_t i = 0; i < EXTENTS_MAX; i++)
		h.extents[i] = (struct extent){ (EXTENTS_MAX - i) * 8192, 4096 };
	memset(h.device_name, 'd', sizeof(h.device_name) - 1);
	assert_ok(decode_copy(handoff_encode(&h, buf), &got));
	assert_same(&h, &got);
}

static void every_truncation_and_flip(void **state)
{
	struct handoff h = sample(), got;
	size_t n = handoff_encode(&h, buf);

	(void)state;
	assert_memory_equal(buf, "DORM-OFF", 8);
	for (size_t i = 0; i < n; i++)
		assert_err(decode_copy(i, &got), i < 8 ? ERR_FORMAT : ERR_CORRUPT);
	for (size_t bit = 0; bit < n * 8; bit++) {
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_err(decode_copy(n, &got), bit < 64 ? ERR_FORMAT : ERR_CORRUPT);
		reseal(n);
		if (bit < (n - 4) * 8)
			err_free(decode_copy(n, &got)); /* no crash */
		handoff_encode(&h, buf);
	}
}

#define REFUSED(change, kind)                                                                      \
	do {                                                                                       \
		struct handoff h = sample(), got;                                                  \
		change;                                                                            \
		assert_err(decode_copy(handoff_encode(&h, buf), &got), kind);                      \
	} while (0)

static void bad_extents(void **state)
{
	(void)state;
	REFUSED(h.extent_count = 0, ERR_CORRUPT);
	REFUSED(h.extents[0].length = 0, ERR_CORRUPT);
	REFUSED(h.extents[0].length++, ERR_CORRUPT);
	REFUSED(h.extents[0].start += 512, ERR_CORRUPT);
	REFUSED(h.extents[0].start = h.device_bytes, ERR_CORRUPT);
	REFUSED(h.extents[0].start = h.device_bytes - 0x1ff000, ERR_CORRUPT);
	REFUSED(h.extents[0].length = UINT64_MAX & ~4095ull, ERR_CORRUPT);
	REFUSED(h.extents[0].start = UINT64_MAX & ~4095ull, ERR_CORRUPT);
	REFUSED(h.extents[1].start = 0x2ff000, ERR_CORRUPT);	/* overlap at the end */
	REFUSED(h.extents[1].start = 0xff000, ERR_CORRUPT);	/* at the start */
	REFUSED(h.extents[1].start = 0x180000, ERR_CORRUPT);	/* within */
	REFUSED(h.extents[0] = h.extents[1], ERR_CORRUPT);
	REFUSED(h.extents[0].length = 0x4000; h.extent_count = 1, ERR_CORRUPT); /* slots only */
	REFUSED(h.device_bytes = 1ull << 63, ERR_CORRUPT);
	REFUSED(h.device_bytes = 0, ERR_CORRUPT);
}

static void bad_values(void **state)
{
	(void)state;
	REFUSED(h.mode = (enum handoff_mode)3, ERR_UNSUPPORTED);
	REFUSED(h.mode = (enum handoff_mode)0, ERR_UNSUPPORTED);
	REFUSED(h.then = (enum handoff_then)0, ERR_UNSUPPORTED);
	REFUSED(h.then = (enum handoff_then)4, ERR_UNSUPPORTED);
	REFUSED(h.verify = (enum handoff_verify)0, ERR_UNSUPPORTED);
	REFUSED(h.verify = (enum handoff_verify)3, ERR_UNSUPPORTED);
	REFUSED(h.mailbox = 0xfffffff, ERR_CORRUPT);
	REFUSED(h.mailbox = 0x14000000, ERR_CORRUPT);
	REFUSED(h.trampoline = 0xffff000, ERR_CORRUPT);
	REFUSED(h.trampoline = 0x1000, ERR_CORRUPT); /* of the other window */
	REFUSED(h.host.windows.count = 0, ERR_CORRUPT);
}

/* Neither may the record THEN be missing nor come when nothing follows. */
static void then_goes_with_hibernate(void **state)
{
	struct handoff h = sample(), got;
	size_t n = handoff_encode(&h, buf);

	(void)state;
	assert_int_equal(buf[24], HANDOFF_HIBERNATE); /* payload of the first record */
	buf[24] = HANDOFF_RESTORE;
	reseal(n);
	assert_err(decode_copy(n, &got), ERR_CORRUPT);
	h.mode = HANDOFF_RESTORE;
	n = handoff_encode(&h, buf);
	buf[24] = HANDOFF_HIBERNATE;
	reseal(n);
	assert_err(decode_copy(n, &got), ERR_CORRUPT);
}

static void assert_same_secrets(const struct handoff *a, const struct handoff *b)
{
	assert_int_equal(a->sealed, b->sealed);
	assert_memory_equal(&a->seal, &b->seal, sizeof(a->seal));
	assert_memory_equal(a->seed, b->seed, sizeof(a->seed));
	assert_int_equal(a->has_image_key, b->has_image_key);
	assert_memory_equal(a->image_key, b->image_key, sizeof(a->image_key));
}

static struct handoff sealed_sample(void)
{
	struct handoff h = sample();

	h.sealed = true;
	memset(h.seal.public_key, 0x11, sizeof(h.seal.public_key));
	memset(h.seal.auth_key, 0x22, sizeof(h.seal.auth_key));
	h.seal.authenticated = true;
	h.seal.cipher = 2;
	memset(h.seed, 0x33, sizeof(h.seed));
	return h;
}

static struct handoff keyed_sample(void)
{
	struct handoff h = sample();

	h.mode = HANDOFF_RESTORE;
	h.then = (enum handoff_then)0;
	h.verify = (enum handoff_verify)0;
	h.time_limit = 0;
	h.has_image_key = true;
	memset(h.image_key, 0x44, sizeof(h.image_key));
	return h;
}

static void secrets(void **state)
{
	struct handoff h = sealed_sample(), k = keyed_sample(), none = sample(), got;

	(void)state;
	assert_ok(decode_copy(handoff_encode(&h, buf), &got));
	assert_same(&h, &got);
	assert_same_secrets(&h, &got);
	h.seal.authenticated = false;
	assert_ok(decode_copy(handoff_encode(&h, buf), &got));
	assert_same_secrets(&h, &got);
	assert_ok(decode_copy(handoff_encode(&k, buf), &got));
	assert_same(&k, &got);
	assert_same_secrets(&k, &got);
	assert_ok(decode_copy(handoff_encode(&none, buf), &got));
	assert_same_secrets(&none, &got);
}

/* Each goes with its mode alone, and SEAL and SEED together. */
static void secrets_have_their_mode(void **state)
{
	struct handoff h = sealed_sample(), k = keyed_sample(), got;
	size_t n = handoff_encode(&h, buf), at;

	(void)state;
	for (at = 0; memcmp(buf + at, "\x0c\0\0\x80\x40\0\0\0", 8); at += 8)
		assert_true(at < n);
	buf[at] = 99; /* SEED is something else */
	buf[at + 3] = 0;
	reseal(n);
	assert_err(decode_copy(n, &got), ERR_CORRUPT);
	for (at = 0; memcmp(buf + at, "\x0b\0\0\x80\x48\0\0\0", 8); at += 8)
		assert_true(at < n);
	handoff_encode(&h, buf);
	buf[at + 8 + 64] = 2; /* an unknown flag */
	reseal(n);
	assert_err(decode_copy(n, &got), ERR_UNSUPPORTED);
	h.mode = HANDOFF_RESTORE;
	assert_err(decode_copy(handoff_encode(&h, buf), &got), ERR_CORRUPT);
	h = sample();
	h.has_image_key = true;
	assert_err(decode_copy(handoff_encode(&h, buf), &got), ERR_CORRUPT);
	k.mode = HANDOFF_HIBERNATE;
	k.then = HANDOFF_RETURN;
	k.verify = HANDOFF_VERIFY_FULL;
	assert_err(decode_copy(handoff_encode(&k, buf), &got), ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(limits),
		cmocka_unit_test(every_truncation_and_flip),
		cmocka_unit_test(bad_extents),
		cmocka_unit_test(bad_values),
		cmocka_unit_test(then_goes_with_hibernate),
		cmocka_unit_test(secrets),
		cmocka_unit_test(secrets_have_their_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
