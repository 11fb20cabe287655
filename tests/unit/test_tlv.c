/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planted faults that made it fail: critical bit ignored, a length compared
 * after adding the padding to 32 bits, padding not checked, records counted
 * twice, checksum that leaves out the header.
 */
#include "unit.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "formats/tlv.h"

#define MAGIC "TESTTEST"

enum { REC_NUMBER = TLV_CRITICAL | 1, REC_WORD = TLV_CRITICAL | 2, REC_NAME = 3 };

struct values {
	uint32_t number;
	uint64_t word;
	char name[8];
};

static err_t take(const struct tlv *t, void *ctx, bool *known)
{
	struct values *v = ctx;

	*known = true;
	switch (t->tag) {
	case REC_NUMBER:
		return tlv_get_u32(t, &v->number);
	case REC_WORD:
		return tlv_get_u64(t, &v->word);
	case REC_NAME:
		return tlv_get_string(t, v->name, sizeof(v->name));
	}
	*known = false;
	return NULL;
}

static err_t decode(const uint8_t *buf, size_t n, struct values *v, uint64_t *seen)
{
	struct tlv_reader r;

	TRY(tlv_open(&r, buf, n, MAGIC, 1, "block"));
	return tlv_each(&r, take, v, seen);
}

/* From a copy of exactly n bytes. */
static err_t decode_copy(const uint8_t *buf, size_t n)
{
	uint8_t *copy = unit_copy(buf, n);
	struct values v;
	uint64_t seen;
	err_t e = decode(copy, n, &v, &seen);

	free(copy);
	return e;
}

static void reseal(uint8_t *buf, size_t n)
{
	le32_t crc = le32_of(crc32c(0, buf, n - 4));

	memcpy(buf + n - 4, &crc, sizeof(crc));
}

static size_t sample(uint8_t *buf, size_t size)
{
	struct tlv_writer w;

	memset(buf, 0xee, size);
	tlv_begin(&w, buf, size, MAGIC, 1);
	tlv_put_u32(&w, REC_NUMBER, 0x01020304);
	tlv_put_u64(&w, REC_WORD, 0x1112131415161718);
	tlv_put_string(&w, REC_NAME, "abc");
	return tlv_finish(&w);
}

static void round_trip(void **state)
{
	struct values v = {0};
	uint8_t buf[256];
	uint64_t seen;
	size_t n = sample(buf, sizeof(buf));

	(void)state;
	assert_ok(decode(buf, n, &v, &seen));
	assert_int_equal(v.number, 0x01020304);
	assert_int_equal(v.word, 0x1112131415161718);
	assert_string_equal(v.name, "abc");
	assert_int_equal(seen, TLV_SEEN(REC_NUMBER) | TLV_SEEN(REC_WORD) | TLV_SEEN(REC_NAME));
}

static void golden_bytes(void **state)
{
	static const uint8_t golden[] = {
		'T',  'E',  'S',  'T',	'T',  'E',  'S',  'T',	/* 0 magic */
		1,    0,    0,	  0,	72,   0,    0,	  0,	/* 8 version, bytes */
		1,    0,    0,	  0x80, 4,    0,    0,	  0,	/* 16 tag, length */
		0x04, 0x03, 0x02, 0x01, 0,    0,    0,	  0,	/* 24 payload, padding */
		2,    0,    0,	  0x80, 8,    0,    0,	  0,	/* 32 */
		0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11, /* 40 */
		3,    0,    0,	  0,	3,    0,    0,	  0,	/* 48 */
		'a',  'b',  'c',  0,	0,    0,    0,	  0,	/* 56 */
		0,    0,    0,	  0,				/* 64 reserved; checksum follows */
	};
	uint8_t buf[256];
	le32_t crc;

	(void)state;
	assert_int_equal(sample(buf, sizeof(buf)), sizeof(golden) + 4);
	assert_memory_equal(buf, golden, sizeof(golden));
	memcpy(&crc, buf + sizeof(golden), 4);
	assert_int_equal(le32_get(crc), crc32c_portable(0, buf, sizeof(golden)));
}

static void every_truncation(void **state)
{
	uint8_t buf[256];
	size_t n = sample(buf, sizeof(buf));

	(void)state;
	for (size_t i = 0; i < n; i++)
		assert_err(decode_copy(buf, i), i < 8 ? ERR_FORMAT : ERR_CORRUPT);

	/* And with length and checksum that fit: cut at a record's end is a
	 * block with fewer records, anything else is damage. */
	for (size_t i = 24; i < n; i += 8) {
		uint8_t cut[256];
		le32_t bytes = le32_of((uint32_t)i);

		memcpy(cut, buf, i);
		memset(cut + i - 8, 0, 8);
		memcpy(cut + 12, &bytes, 4);
		reseal(cut, i);
		if (i == 24 || i == 40 || i == 56)
			assert_ok(decode_copy(cut, i));
		else
			assert_err(decode_copy(cut, i), ERR_CORRUPT);
	}
}

static void every_bit_flip(void **state)
{
	uint8_t buf[256];
	size_t n = sample(buf, sizeof(buf));

	(void)state;
	for (size_t bit = 0; bit < n * 8; bit++) {
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_err(decode_copy(buf, n), bit < 64 ? ERR_FORMAT : ERR_CORRUPT);
		reseal(buf, n);
		err_free(decode_copy(buf, n)); /* no crash */
		sample(buf, sizeof(buf));
	}
}

/* A record's length field set to anything. */
static void lengths(void **state)
{
	static const uint32_t bad[] = {
		9, 16, 40, 48, 1000, 0x7fffffff, UINT32_MAX - 7, UINT32_MAX - 6, UINT32_MAX};
	uint8_t buf[256];
	size_t n = sample(buf, sizeof(buf));

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		le32_t length = le32_of(bad[i]);

		memcpy(buf + 52, &length, 4); /* of the last record */
		reseal(buf, n);
		assert_err(decode_copy(buf, n), ERR_CORRUPT);
	}
	sample(buf, sizeof(buf));
	buf[59] = 1; /* padding */
	reseal(buf, n);
	assert_err(decode_copy(buf, n), ERR_CORRUPT);
	sample(buf, sizeof(buf));
	buf[64] = 1; /* trailer's reserved field */
	reseal(buf, n);
	assert_err(decode_copy(buf, n), ERR_CORRUPT);
}

static err_t decode_extra(uint32_t tag, const void *payload, size_t bytes)
{
	struct tlv_writer w;
	uint8_t buf[256];

	tlv_begin(&w, buf, sizeof(buf), MAGIC, 1);
	tlv_put_u32(&w, REC_NUMBER, 1);
	tlv_put(&w, tag, payload, bytes);
	return decode_copy(buf, tlv_finish(&w));
}

static void unknown_records(void **state)
{
	(void)state;
	assert_ok(decode_extra(50, "x", 1));
	assert_ok(decode_extra(50, NULL, 0));
	assert_ok(decode_extra(1, "x", 1)); /* another tag than REC_NUMBER */
	assert_err(decode_extra(TLV_CRITICAL | 50, "x", 1), ERR_UNSUPPORTED);
	assert_err(decode_extra(TLV_CRITICAL | 3, "x", 1), ERR_UNSUPPORTED);
	assert_err(decode_extra(REC_NUMBER, "abcd", 4), ERR_CORRUPT); /* twice */
}

static void payloads(void **state)
{
	(void)state;
	assert_err(decode_extra(REC_WORD, "1234567", 7), ERR_CORRUPT);
	assert_err(decode_extra(REC_WORD, "123456789", 9), ERR_CORRUPT);
	assert_err(decode_extra(REC_WORD, NULL, 0), ERR_CORRUPT);
	assert_ok(decode_extra(REC_NAME, NULL, 0));
	assert_ok(decode_extra(REC_NAME, "1234567", 7));
	assert_err(decode_extra(REC_NAME, "12345678", 8), ERR_CORRUPT); /* no room for NUL */
	assert_err(decode_extra(REC_NAME, "a\0b", 3), ERR_CORRUPT);
}

static void versions(void **state)
{
	uint8_t buf[256];
	size_t n = sample(buf, sizeof(buf));
	struct tlv_reader r;

	(void)state;
	assert_err(tlv_open(&r, buf, n, MAGIC, 2, "block"), ERR_UNSUPPORTED);
	assert_err(tlv_open(&r, buf, n, "NOTTEST!", 1, "block"), ERR_FORMAT);
	assert_err(tlv_open(&r, buf, 0, MAGIC, 1, "block"), ERR_FORMAT);
}

/* The buffer may be filled to its last byte. */
static void exact_fit(void **state)
{
	uint8_t *buf = unit_copy("", 0);
	struct tlv_writer w;
	struct values v;
	uint64_t seen;

	(void)state;
	buf = realloc(buf, 40);
	tlv_begin(&w, buf, 40, MAGIC, 1);
	tlv_put_u64(&w, REC_WORD, 7);
	assert_int_equal(tlv_finish(&w), 40);
	assert_ok(decode(buf, 40, &v, &seen));
	free(buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),	    cmocka_unit_test(golden_bytes),
		cmocka_unit_test(every_truncation), cmocka_unit_test(every_bit_flip),
		cmocka_unit_test(lengths),	    cmocka_unit_test(unknown_records),
		cmocka_unit_test(payloads),	    cmocka_unit_test(versions),
		cmocka_unit_test(exact_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
