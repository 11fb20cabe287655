/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planted faults that made it fail: overlap of extents not checked, end of an
 * extent computed by a sum that wraps, a required record not asked for, THEN, VERIFY or
 * TIME_LIMIT not, addresses not held against the main window; SEED not required with SEAL,
 * IMAGE_KEY taken to hibernate; SEAL or AREA cut short taken for whole; any number of extents
 * taken; a copy of the secrets not wiped; *out changed by an error.
 */
#include "unit.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/util.h"
#include "formats/handoff.h"
#include "sample_host.h"
#include "wiped.h"

#include <stdio.h>

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
		.extents = {{0x100000, 0x200000}, {0x10000, 0x4000}},
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
	assert_int_equal(a->map_place, b->map_place);
	assert_memory_equal(a->extents, b->extents, a->extent_count * sizeof(a->extents[0]));
	assert_int_equal(a->area_disk_bytes, b->area_disk_bytes);
	assert_memory_equal(&a->area, &b->area, sizeof(a->area));
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
		memset(&got, 0x5a, sizeof(got));                                                   \
		assert_err(decode_copy(handoff_encode(&h, buf), &got), kind);                      \
		assert_int_equal(got.device_bytes, 0x5a5a5a5a5a5a5a5a); /* unchanged */            \
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
	REFUSED(h.extents[1].start = 0x2ff000, ERR_CORRUPT); /* overlap at the end */
	REFUSED(h.extents[1].start = 0xff000, ERR_CORRUPT);  /* at the start */
	REFUSED(h.extents[1].start = 0x180000, ERR_CORRUPT); /* within */
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
	REFUSED(h.threads = 0, ERR_CORRUPT);
	REFUSED(h.threads = HANDOFF_THREADS_MAX + 1, ERR_CORRUPT);
}

#define CRITICAL 0x80000000u

/* Where the record with this tag is. */
static size_t find(size_t n, uint32_t tag)
{
	le32_t wanted = le32_of(tag), length;
	size_t at = 16;

	while (at < n && memcmp(buf + at, &wanted, 4)) {
		memcpy(&length, buf + at + 4, 4);
		at += 8 + (le32_get(length) + 7) / 8 * 8;
	}
	assert_true(at < n);
	return at;
}

static void put32(size_t at, uint32_t x)
{
	le32_t v = le32_of(x);

	memcpy(buf + at, &v, 4);
}

/* Another tag for the one record that has this one, and le64 as its payload. */
static void retag(size_t n, uint32_t from, uint32_t to, uint64_t payload)
{
	le64_t value = le64_of(payload);
	size_t at = find(n, from);

	put32(at, to);
	memcpy(buf + at + 8, &value, 8);
	reseal(n);
}

static void limits(void **state)
{
	struct handoff h = sample(), got;
	size_t n, at;

	(void)state;
	h.extent_count = HANDOFF_EXTENTS_MAX;
	for (uint32_t i = 0; i < HANDOFF_EXTENTS_MAX; i++)
		h.extents[i] = (struct extent){(HANDOFF_EXTENTS_MAX - i) * 8192, 4096};
	memset(h.device_name, 'd', sizeof(h.device_name) - 1);
	n = handoff_encode(&h, buf);
	assert_ok(decode_copy(n, &got));
	assert_same(&h, &got);
	/* One more: the first one is there twice, and then elsewhere. */
	at = find(n, CRITICAL | 5);
	memmove(buf + at + 8 + 16, buf + at + 8, n - at - 8);
	put32(at + 4, (HANDOFF_EXTENTS_MAX + 1) * 16);
	put32(at + 8, (HANDOFF_EXTENTS_MAX + 1) * 8192);
	put32(12, (uint32_t)n + 16);
	reseal(n + 16);
	assert_err(decode_copy(n + 16, &got), ERR_CORRUPT);
}

/* Each of the records that there must be is something else. */
static void required_records(void **state)
{
	static const uint32_t tags[] = {1, 3, 4, 6, 7, 8, 9};
	struct handoff h = sample(), got;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		size_t n = handoff_encode(&h, buf);

		retag(n, CRITICAL | tags[i], 99, 0);
		assert_err(decode_copy(n, &got), ERR_CORRUPT);
	}
}

/* None of THEN, VERIFY and TIME_LIMIT may be missing, nor come when nothing follows. */
static void records_of_hibernating(void **state)
{
	static const uint32_t tags[] = {2, 10, 18};
	struct handoff h = sample(), got;
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		n = handoff_encode(&h, buf);
		retag(n, CRITICAL | tags[i], 99, 0);
		assert_err(decode_copy(n, &got), ERR_CORRUPT);
		n = handoff_encode(&h, buf);
		retag(n, CRITICAL | 1, CRITICAL | 1, HANDOFF_RESTORE);
		for (size_t k = 0; k < ARRAY_LEN(tags); k++)
			if (k != i)
				retag(n, CRITICAL | tags[k], 99, 0);
		assert_err(decode_copy(n, &got), ERR_CORRUPT);
		retag(n, CRITICAL | tags[i], 99, 0);
		assert_ok(decode_copy(n, &got));
	}
}

/* One that is 8 bytes short, and behind it one of no bytes, which nobody knows. */
static void shorten(size_t n, uint32_t tag)
{
	size_t at = find(n, CRITICAL | tag);
	le32_t length;

	memcpy(&length, buf + at + 4, 4);
	put32(at + 4, le32_get(length) - 8);
	put32(at + le32_get(length), 99);
	put32(at + le32_get(length) + 4, 0);
	reseal(n);
}

static struct handoff sample_located(void)
{
	struct handoff h = sample();

	h.extent_count = 0;
	h.map_place = 0x123000;
	return h;
}

static struct handoff sample_encrypted(void)
{
	struct handoff h = sample();

	h.area_disk_bytes = 1ull << 34;
	h.area = (struct encrypted_area){.start = 0x1100000,
					 .bytes = h.device_bytes,
					 .iv_offset = 7,
					 .sector_bytes = 4096,
					 .key_bytes = 64,
					 .cipher = "aes-xts-plain64"};
	memset(h.area.key, 0x5c, h.area.key_bytes);
	return h;
}

/* A target within what dm-crypt makes of a disk. Planted and found: the area's end not
 * held against the disk's; its size not against the device's. */
static void encrypted_area(void **state)
{
	struct handoff good = sample_encrypted(), got, h;
	size_t n;

	(void)state;
	assert_ok(decode_copy(handoff_encode(&good, buf), &got));
	assert_same(&good, &got);
#define BAD_AREA(change)                                                                           \
	do {                                                                                       \
		h = good;                                                                          \
		change;                                                                            \
		assert_err(decode_copy(handoff_encode(&h, buf), &got), ERR_CORRUPT);               \
	} while (0)
	BAD_AREA(h.area.sector_bytes = 0);
	BAD_AREA(h.area.sector_bytes = 1536);
	BAD_AREA(h.area.sector_bytes = 8192);
	BAD_AREA(h.area.start += 512);
	BAD_AREA(h.area.start = h.area_disk_bytes - 4096);
	BAD_AREA(h.area.bytes += 4096);
	BAD_AREA(h.area.key_bytes = 0);
	BAD_AREA(h.area.cipher[0] = '\0');
	BAD_AREA(h.area.cipher[3] = ' '); /* it would be another word of the table */
	BAD_AREA(memset(h.area.cipher, 'a', sizeof(h.area.cipher)));
	BAD_AREA(h.area_disk_bytes = h.area.bytes);
	n = handoff_encode(&good, buf);
	put32(find(n, CRITICAL | 15) + 8 + 36, ENCRYPTEDAREA_KEY_MAX + 1);
	reseal(n);
	assert_err(decode_copy(n, &got), ERR_CORRUPT);
	n = handoff_encode(&good, buf);
	shorten(n, 15);
	assert_err(decode_copy(n, &got), ERR_CORRUPT);
}

static void bad_map_place(void **state)
{
	(void)state;
	REFUSED(h = sample_located(); h.map_place = h.device_bytes, ERR_CORRUPT);
	REFUSED(h = sample_located(); h.map_place += 512, ERR_CORRUPT);
	REFUSED(h = sample_located(); h.map_place = UINT64_MAX - 4095, ERR_CORRUPT);
	REFUSED(h = sample_located(); h.device_bytes = 0, ERR_CORRUPT);
}

/* Planted: both taken, and the last one counts. (That neither is there shows in a target of
 * no bytes, too.) */
static void map_or_extents(void **state)
{
	struct handoff h = sample_located(), got;
	size_t n;

	(void)state;
	assert_ok(decode_copy(handoff_encode(&h, buf), &got));
	assert_same(&h, &got);
	h.map_place = h.device_bytes - 4096;
	n = handoff_encode(&h, buf);
	assert_ok(decode_copy(n, &got));
	retag(n, 0x8000000E, 99, 0x123000);
	assert_err(decode_copy(n, &got), ERR_CORRUPT); /* neither */
	n = handoff_encode(&h, buf);
	retag(n, 0x8000000E, 0x8000000E, 0);
	assert_err(decode_copy(n, &got), ERR_CORRUPT);
	h = sample();
	snprintf(h.boot_log, sizeof(h.boot_log), "8 bytes.");
	n = handoff_encode(&h, buf);
	retag(n, 17, 0x8000000E, 0x123000);
	assert_err(decode_copy(n, &got), ERR_CORRUPT); /* both */
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
	size_t n, at;

	(void)state;
	n = handoff_encode(&h, buf);
	at = find(n, CRITICAL | 11);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(buf[at + 8 + i], i < 32 ? 0x11 : 0x22);
	assert_memory_equal(buf + at + 8 + 64, "\1\0\0\0\2\0\0\0", 8);
	wiped_reset();
	assert_ok(decode_copy(n, &got));
	assert_int_equal(wiped(h.seed, sizeof(h.seed)), 1); /* a copy of it */
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
	size_t n = handoff_encode(&h, buf);

	(void)state;
	retag(n, CRITICAL | 12, 99, 0); /* SEED is something else */
	assert_err(decode_copy(n, &got), ERR_CORRUPT);
	handoff_encode(&h, buf);
	put32(find(n, CRITICAL | 11) + 8 + 64, 2); /* an unknown flag */
	reseal(n);
	assert_err(decode_copy(n, &got), ERR_UNSUPPORTED);
	handoff_encode(&h, buf);
	shorten(n, 11);
	assert_err(decode_copy(n, &got), ERR_CORRUPT);
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
		cmocka_unit_test(round_trip),	    cmocka_unit_test(limits),
		cmocka_unit_test(encrypted_area),   cmocka_unit_test(every_truncation_and_flip),
		cmocka_unit_test(bad_extents),	    cmocka_unit_test(bad_values),
		cmocka_unit_test(required_records), cmocka_unit_test(records_of_hibernating),
		cmocka_unit_test(bad_map_place),    cmocka_unit_test(map_or_extents),
		cmocka_unit_test(secrets),	    cmocka_unit_test(secrets_have_their_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
