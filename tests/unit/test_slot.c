/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planted faults that made it fail: checksum over bytes 0..4090 only, checksum
 * not compared, version compared before the checksum, incompatible features
 * ignored, regions not held against image_end, two fields swapped in encode and
 * decode alike (golden bytes). In a sealed image: digests swapped, keyslots and key
 * allowed to overlap, the key's size not checked, sealing taken without its feature. Two
 * kinds of targets at once.
 */
#include "unit.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "formats/slot.h"

static struct slot sample(void)
{
	struct slot s = {
		.state = SLOT_VALID,
		.generation = 0x1122334455667788,
		.created = 0x0102030405060708,
		.header = {0x4000, 0x123, 0xaabbccdd},
		.directory = {0x5000, 0x2001, 0x11223344},
		.image_end = 0x8000,
		.data_pages = 5,
		.zero_pages = 6,
		.fill_pages = 7,
		.raw_bytes = 5 * 4096,
		.stored_bytes = 9999,
		.failed_resumes = 3,
		.reason = "because",
	};

	for (int i = 0; i < (int)NONCE_BYTES; i++)
		s.nonce[i] = (uint8_t)(0xa0 + i);
	return s;
}

/* Put the checksum right after a change. */
static void reseal(uint8_t buf[SLOT_BYTES])
{
	le32_t crc = le32_of(crc32c(0, buf, SLOT_BYTES - 4));

	memcpy(buf + SLOT_BYTES - 4, &crc, sizeof(crc));
}

static void assert_same(const struct slot *a, const struct slot *b)
{
	uint8_t x[SLOT_BYTES], y[SLOT_BYTES];

	slot_encode(a, x);
	slot_encode(b, y);
	assert_memory_equal(x, y, SLOT_BYTES);
}

static void round_trip(void **state)
{
	struct slot s = sample(), got;
	uint8_t buf[SLOT_BYTES];

	(void)state;
	for (int st = SLOT_EMPTY; st <= SLOT_RETIRED; st++) {
		s.state = (enum slot_state)st;
		slot_encode(&s, buf);
		assert_ok(slot_decode(buf, &got));
		assert_int_equal(got.state, st);
		assert_int_equal(got.generation, s.generation);
		assert_int_equal(got.created, s.created);
		assert_memory_equal(got.nonce, s.nonce, NONCE_BYTES);
		assert_memory_equal(&got.header, &s.header, sizeof(s.header));
		assert_memory_equal(&got.directory, &s.directory, sizeof(s.directory));
		assert_string_equal(got.reason, "because");
		assert_same(&s, &got);
	}
}

/* The bytes of docs/image-format.md, written down once more. */
static void golden_bytes(void **state)
{
	static const uint8_t head[] = {
		'D',  'O',  'R',  'M',	'O',  'U',  'S',  'E',	/* 0 magic */
		1,    0,    0,	  0,	2,    0,    0,	  0,	/* 8 version, state */
		0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, /* 16 generation */
		0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, /* 24 nonce */
		0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf,
		0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01, /* 40 created */
		0,    0,    0,	  0,	0,    0,    0,	  0,	/* 48 features */
		0x00, 0x40, 0,	  0,	0,    0,    0,	  0,	/* 56 header */
		0x23, 0x01, 0,	  0,	0xdd, 0xcc, 0xbb, 0xaa,
		0x00, 0x50, 0,	  0,	0,    0,    0,	  0, /* 72 directory */
		0x01, 0x20, 0,	  0,	0x44, 0x33, 0x22, 0x11,
		0x00, 0x80, 0,	  0,	0,    0,    0,	  0, /* 88 image_end */
		5,    0,    0,	  0,	0,    0,    0,	  0, /* 96 data_pages */
		6,    0,    0,	  0,	0,    0,    0,	  0, /* 104 zero_pages */
		7,    0,    0,	  0,	0,    0,    0,	  0, /* 112 fill_pages */
		0x00, 0x50, 0,	  0,	0,    0,    0,	  0, /* 120 raw_bytes */
		0x0f, 0x27, 0,	  0,	0,    0,    0,	  0, /* 128 stored_bytes */
		3,    0,    0,	  0,			     /* 136 failed_resumes */
	};
	struct slot s = sample();
	uint8_t buf[SLOT_BYTES];
	le32_t crc;

	(void)state;
	slot_encode(&s, buf);
	assert_memory_equal(buf, head, sizeof(head));
	assert_string_equal((char *)buf + 256, "because");
	for (size_t i = sizeof(head); i < SLOT_BYTES - 4; i++)
		if (i < 256 || i >= 256 + sizeof("because"))
			assert_int_equal(buf[i], 0);
	memcpy(&crc, buf + 4092, 4);
	assert_int_equal(le32_get(crc), crc32c_portable(0, buf, 4092));
}

static void every_bit_flip_is_refused(void **state)
{
	struct slot s = sample(), got, before;
	uint8_t buf[SLOT_BYTES];

	(void)state;
	slot_encode(&s, buf);
	memset(&got, 0x5a, sizeof(got));
	before = got;
	for (size_t bit = 0; bit < SLOT_BYTES * 8; bit++) {
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_err(slot_decode(buf, &got), bit < 64 ? ERR_FORMAT : ERR_CORRUPT);
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_memory_equal(&got, &before, sizeof(got));
}

/* The same flips by somebody who knows the checksum: no crash, and whatever is
 * accepted is what encode would have written. */
static void resealed_flips_are_sane(void **state)
{
	struct slot s = sample(), got;
	uint8_t buf[SLOT_BYTES], again[SLOT_BYTES];

	(void)state;
	for (size_t bit = 0; bit < (SLOT_BYTES - 4) * 8; bit++) {
		slot_encode(&s, buf);
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		reseal(buf);
		if (unit_is_err(slot_decode(buf, &got)))
			continue;
		slot_encode(&got, again);
		if (bit / 8 < 256 &&
		    !got.features_compat) /* behind the reason's NUL anything goes */
			assert_memory_equal(buf, again, SLOT_BYTES);
		assert_true(got.header.offset + got.header.length <= got.image_end);
		assert_true(got.directory.offset + got.directory.length <= got.image_end);
	}
}

/* Change a byte, seal, decode. */
static err_t decode_with(size_t offset, uint8_t byte)
{
	struct slot s = sample(), got;
	uint8_t buf[SLOT_BYTES];

	slot_encode(&s, buf);
	buf[offset] = byte;
	reseal(buf);
	return slot_decode(buf, &got);
}

static void versions(void **state)
{
	struct slot s = sample(), got;
	uint8_t buf[SLOT_BYTES], again[SLOT_BYTES];

	(void)state;
	assert_err(decode_with(8, 2), ERR_UNSUPPORTED); /* version */
	assert_err(decode_with(8, 0), ERR_UNSUPPORTED);
	assert_ok(decode_with(52, SLOT_INCOMPAT_SWAP));
	assert_ok(decode_with(52, SLOT_INCOMPAT_LOCATED));
	assert_err(decode_with(52, SLOT_INCOMPAT_MARKED), ERR_CORRUPT); /* two kinds at once */
	assert_err(decode_with(52, 8), ERR_UNSUPPORTED);		/* incompatible feature */
	assert_err(decode_with(52, 11), ERR_UNSUPPORTED);
	assert_err(decode_with(55, 0x80), ERR_UNSUPPORTED);
	assert_ok(decode_with(48, 1));		      /* compatible feature */
	assert_err(decode_with(12, 5), ERR_CORRUPT);  /* state */
	assert_err(decode_with(140, 1), ERR_CORRUPT); /* reserved: cipher */
	assert_err(decode_with(255, 1), ERR_CORRUPT);
	assert_err(decode_with(512, 1), ERR_CORRUPT); /* spare */
	assert_err(decode_with(4055, 1), ERR_CORRUPT);
	assert_err(decode_with(4056, 1), ERR_CORRUPT); /* reserved: tag */
	assert_err(decode_with(4091, 1), ERR_CORRUPT);
	assert_err(decode_with(511, 'x'), ERR_CORRUPT); /* reason without NUL */

	/* An unknown compatible feature may use the spare room, and no other. */
	slot_encode(&s, buf);
	buf[48] = 1;
	buf[512] = 1;
	reseal(buf);
	assert_ok(slot_decode(buf, &got));
	assert_int_equal(got.features_compat, 1);
	slot_encode(&got, again); /* both are gone, or a newer reader would take zeros for real */
	assert_int_equal(again[48], 0);
	assert_int_equal(again[512], 0);
	buf[140] = 1;
	reseal(buf);
	assert_err(slot_decode(buf, &got), ERR_CORRUPT);
}

static struct slot sealed_sample(void)
{
	struct slot s = sample();

	s.features_incompat = SLOT_INCOMPAT_SEALED;
	s.image_end = 0x10000;
	s.sealing = (struct slot_sealing){
		.cipher = 1,
		.flags = SLOT_SEALED_AUTHENTICATED,
		.key = {0xe000, 4096, 0x01020304},
		.keyslots = {0x9000, 0x4321, 0x05060708},
	};
	for (uint8_t i = 0; i < 32; i++) {
		s.sealing.header_sha256[i] = (uint8_t)(0x40 + i);
		s.sealing.directory_sha256[i] = (uint8_t)(0x80 + i);
		s.tag[i] = (uint8_t)(0xc0 + i);
	}
	return s;
}

/* "Sealing", written down once more. */
static void sealed_golden_bytes(void **state)
{
	static const uint8_t golden[] = {
		1,    0,    0, 0, 1,	0,    0,    0, /* 140 cipher, flags */
		0x00, 0xe0, 0, 0, 0,	0,    0,    0, /* 148 key */
		0x00, 0x10, 0, 0, 0x04, 0x03, 0x02, 0x01,
		0x00, 0x90, 0, 0, 0,	0,    0,    0, /* 164 keyslots */
		0x21, 0x43, 0, 0, 0x08, 0x07, 0x06, 0x05,
	};
	struct slot s = sealed_sample(), got;
	uint8_t buf[SLOT_BYTES];

	(void)state;
	slot_encode(&s, buf);
	assert_int_equal(buf[52], 2);
	assert_memory_equal(buf + 140, golden, sizeof(golden));
	assert_memory_equal(buf + 180, s.sealing.header_sha256, 32);
	assert_memory_equal(buf + 212, s.sealing.directory_sha256, 32);
	for (int i = 244; i < 256; i++)
		assert_int_equal(buf[i], 0);
	assert_memory_equal(buf + 4056, s.tag, 32);
	assert_ok(slot_decode(buf, &got));
	assert_memory_equal(&got.sealing, &s.sealing, sizeof(s.sealing));
	assert_memory_equal(got.tag, s.tag, sizeof(s.tag));
	assert_same(&s, &got);
	buf[244] = 1;
	reseal(buf);
	assert_err(slot_decode(buf, &got), ERR_CORRUPT);
	/* Without the feature nothing of it is written. */
	s.features_incompat = 0;
	slot_encode(&s, buf);
	assert_ok(slot_decode(buf, &got));
	assert_int_equal(got.sealing.cipher, 0);
}

/* What the tag is over: bytes 0 to 255 but for four fields. */
static void tagged_bytes(void **state)
{
	uint8_t buf[SLOT_BYTES], tagged[SLOT_TAGGED_BYTES], again[SLOT_TAGGED_BYTES];
	struct slot s = sealed_sample();

	(void)state;
	slot_encode(&s, buf);
	slot_tagged(&s, tagged);
	memset(buf + 12, 0, 12); /* state, generation */
	memset(buf + 48, 0, 4);	 /* features_compat */
	memset(buf + 136, 0, 4); /* failed_resumes */
	assert_memory_equal(tagged, buf, SLOT_TAGGED_BYTES);
	s.state = SLOT_RETIRED;
	s.generation = s.features_compat = s.failed_resumes = 9;
	s.reason[0] = 'x';
	s.tag[0] = 1;
	slot_tagged(&s, again);
	assert_memory_equal(tagged, again, SLOT_TAGGED_BYTES);
}

/* A newer version may have put anything anywhere but magic and checksum. */
static void newer_version_is_not_damage(void **state)
{
	uint8_t buf[SLOT_BYTES];
	struct slot got;

	(void)state;
	memset(buf, 0xff, sizeof(buf));
	memcpy(buf, "DORMOUSE", 8);
	buf[8] = 2;
	memset(buf + 9, 0, 3);
	reseal(buf);
	assert_err(slot_decode(buf, &got), ERR_UNSUPPORTED);
}

static void check_refused(struct slot s)
{
	uint8_t buf[SLOT_BYTES];
	struct slot got;

	s.state = SLOT_RESUMING;
	slot_encode(&s, buf);
	assert_err(slot_decode(buf, &got), ERR_CORRUPT);
	s.state = SLOT_VALID;
	slot_encode(&s, buf);
	assert_err(slot_decode(buf, &got), ERR_CORRUPT);
	s.state = SLOT_WRITING; /* there the places mean nothing */
	slot_encode(&s, buf);
	assert_ok(slot_decode(buf, &got));
}

#define REFUSED(change)                                                                            \
	do {                                                                                       \
		struct slot s = sample();                                                          \
		change;                                                                            \
		check_refused(s);                                                                  \
	} while (0)

static void bad_places(void **state)
{
	(void)state;
	REFUSED(s.header.length = 0);
	REFUSED(s.header.offset = 0x4001);
	REFUSED(s.header.offset = SLOT_B_OFFSET);
	REFUSED(s.header.offset = 0x8000);
	REFUSED(s.header.offset = UINT64_MAX & ~4095ull);
	REFUSED(s.header.length = 65537; s.image_end = 1 << 20; s.directory.offset = 1 << 19);
	REFUSED(s.directory.length = 0x3001);
	REFUSED(s.directory.length = UINT32_MAX);
	REFUSED(s.directory.length = (16 << 20) + 1; s.image_end = 1 << 30);
	REFUSED(s.directory.offset = 0x4000);
	REFUSED(s.header.offset = 0x6000; s.header.length = 1);
	REFUSED(s.image_end = 0x7000);
	REFUSED(s.image_end = 0x8001);
	REFUSED(s.image_end = 1ull << 63);
	REFUSED(s.image_end = 0);
	REFUSED(s.raw_bytes--);
	REFUSED(s.stored_bytes = s.raw_bytes + 1);
	REFUSED(s.data_pages = 1ull << 52; s.raw_bytes = 0; s.stored_bytes = 0);
}

#define SEALED_REFUSED(change)                                                                     \
	do {                                                                                       \
		struct slot s = sealed_sample();                                                   \
		change;                                                                            \
		check_refused(s);                                                                  \
	} while (0)

static void bad_sealing(void **state)
{
	struct slot none = sealed_sample(), got;
	uint8_t buf[SLOT_BYTES];

	(void)state;
	SEALED_REFUSED(s.sealing.key.length = 4095);
	SEALED_REFUSED(s.sealing.key.length = 8192);
	SEALED_REFUSED(s.sealing.key.length = 0);
	SEALED_REFUSED(s.sealing.key.offset = 0x10000);
	SEALED_REFUSED(s.sealing.key.offset = 0x3000);
	SEALED_REFUSED(s.sealing.key.offset = 0xe001);
	SEALED_REFUSED(s.sealing.key.offset = 0x4000); /* the header */
	SEALED_REFUSED(s.sealing.key.offset = 0x6000); /* the directory */
	SEALED_REFUSED(s.sealing.key.offset = 0xd000); /* the keyslots */
	SEALED_REFUSED(s.sealing.keyslots.offset = 0x4000);
	SEALED_REFUSED(s.sealing.keyslots.length = 0);
	SEALED_REFUSED(s.sealing.keyslots.length = 0x7001);
	SEALED_REFUSED(s.sealing.keyslots.length = (4 << 20) + 1; s.image_end = 1 << 30;
		       s.sealing.key.offset = 1 << 29);
	none.sealing.keyslots = (struct slot_region){0, 0, 0}; /* there are none */
	slot_encode(&none, buf);
	assert_ok(slot_decode(buf, &got));
	none.sealing.flags = 2;
	slot_encode(&none, buf);
	assert_err(slot_decode(buf, &got), ERR_UNSUPPORTED);
}

static void largest_places(void **state)
{
	struct slot s = sample(), got;
	uint8_t buf[SLOT_BYTES];

	(void)state;
	s.directory.length = 0x3000;
	s.header.length = 0x1000;
	s.stored_bytes = s.raw_bytes;
	slot_encode(&s, buf);
	assert_ok(slot_decode(buf, &got));
}

static void foreign(void **state)
{
	uint8_t buf[SLOT_BYTES] = {0};
	struct slot got;

	(void)state;
	assert_err(slot_decode(buf, &got), ERR_FORMAT);
	memset(buf, 0xff, sizeof(buf));
	assert_err(slot_decode(buf, &got), ERR_FORMAT);
	memcpy(buf, "DORMOUSE", 8);
	assert_err(slot_decode(buf, &got), ERR_CORRUPT);
}

static void long_reason_is_cut(void **state)
{
	struct slot s = sample(), got;
	uint8_t buf[SLOT_BYTES];

	(void)state;
	memset(s.reason, 'r', sizeof(s.reason));
	slot_encode(&s, buf);
	assert_ok(slot_decode(buf, &got));
	assert_int_equal(strlen(got.reason), SLOT_REASON_MAX - 1);
}

static void state_names(void **state)
{
	(void)state;
	assert_string_equal(slot_state_name(SLOT_EMPTY), "empty");
	assert_string_equal(slot_state_name(SLOT_WRITING), "writing");
	assert_string_equal(slot_state_name(SLOT_VALID), "valid");
	assert_string_equal(slot_state_name(SLOT_RESUMING), "resuming");
	assert_string_equal(slot_state_name(SLOT_RETIRED), "retired");
	assert_string_equal(slot_state_name((enum slot_state)5), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(golden_bytes),
		cmocka_unit_test(every_bit_flip_is_refused),
		cmocka_unit_test(resealed_flips_are_sane),
		cmocka_unit_test(versions),
		cmocka_unit_test(newer_version_is_not_damage),
		cmocka_unit_test(bad_places),
		cmocka_unit_test(largest_places),
		cmocka_unit_test(sealed_golden_bytes),
		cmocka_unit_test(tagged_bytes),
		cmocka_unit_test(bad_sealing),
		cmocka_unit_test(foreign),
		cmocka_unit_test(long_reason_is_cut),
		cmocka_unit_test(state_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
