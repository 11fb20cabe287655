/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sealed images, and what somebody makes of them who can write the disk, knows the
 * format, and can make any checksum right (forger.h), but has no key: ERR_AUTH each
 * time, and nothing of what was not authenticated is placed. The faults that were
 * planted, and made it fail, are listed at each test.
 */
#include "sealedfixture.h"

#include "image/keyless.h"
#include "keys/digest.h"

/* No page of this block of memory was placed. */
static void assert_block_untouched(const struct fakemem *to, size_t block)
{
	for (size_t p = 0; p < CHUNK_PAGES; p++)
		assert_true(page_is(to->mem + block * FAKE_BLOCK + p * PAGE_BYTES, FAKE_GUARD));
}

/*
 * One bit sequence after the other is changed, in each chunk at its beginning, middle
 * and end. Planted: the tag of chunks not checked.
 */
static void test_chunks(void **state)
{
	static struct chunk chunks[64];
	struct machine m;
	size_t n;

	(void)state;
	sealed_init(&m, 9, FAKE_MIXED, RUNS);
	assert_ok(write_image(&m, &usual, NULL));
	n = list_chunks(&m, chunks, 64);
	assert_int_equal(n, 9);
	for (size_t i = 0; i < 3 * n; i++) {
		const struct chunk *c = &chunks[i / 3];
		uint64_t at = c->offset + (uint64_t)(c->stored - FORGER_BYTES) * (i % 3) / 2;
		struct fakemem to = empty_like(&m.mem);

		forger_flip(&m.file, at);
		assert_ok(image_check_index(&m.t, &m.slot, keys_of(&m), &m.host));
		assert_err(verify(&m), ERR_AUTH);
		assert_err(restore(&m, &to, &usual, NULL), ERR_AUTH);
		assert_block_untouched(&to, i / 3);
		forger_flip(&m.file, at);
		fake_deinit(&to);
	}
	assert_ok(verify(&m));
	machine_deinit(&m);
}

/* The chunks of two blocks, of one size, in each other's place. Planted: a chunk placed
 * whatever its tag says. */
static void test_swapped(void **state)
{
	static struct chunk chunks[16];
	struct fakemem to;
	struct machine m;
	uint8_t *a, *b;

	(void)state;
	sealed_init(&m, 4, FAKE_RANDOM, SPARSE_BLOCKS);
	memset(m.mem.classes, PAGE_SAVE, 4 * CHUNK_PAGES);
	memset(m.mem.classes, PAGE_SKIP, CHUNK_PAGES); /* it has the window */
	assert_ok(write_image(&m, &plain, NULL));
	assert_int_equal(list_chunks(&m, chunks, 16), 3);
	assert_int_equal(chunks[0].stored, chunks[1].stored);
	a = forger_read(&m.file, chunks[0].offset, chunks[0].stored);
	b = forger_read(&m.file, chunks[1].offset, chunks[1].stored);
	forger_put(&m.file, chunks[0].offset, b, chunks[0].stored);
	forger_put(&m.file, chunks[1].offset, a, chunks[1].stored);
	assert_err(verify(&m), ERR_AUTH);
	to = empty_like(&m.mem);
	assert_err(restore(&m, &to, &usual, NULL), ERR_AUTH);
	for (size_t i = 0; i < 2; i++)
		assert_block_untouched(&to, i + 1);
	fake_deinit(&to);
	free(a);
	free(b);
	machine_deinit(&m);
}

/*
 * Chunk, index, header, and superblock of another image of the same memory, nonce and
 * size, which its writer has sealed with another key.
 */
static void test_replayed(void **state)
{
	static struct chunk chunks[64];
	struct machine m, other;
	struct index_place segment;
	uint8_t *p;

	(void)state;
	sealed_init(&m, 4, FAKE_RANDOM, ALL);
	assert_ok(write_image(&m, &plain, NULL));
	machine_init(&other, 4, FAKE_RANDOM, ALL, false);
	other.seal = &seals[1];
	assert_ok(write_image(&other, &plain, NULL));
	assert_int_equal(other.slot.image_end, m.slot.image_end);
	assert_int_equal(list_chunks(&m, chunks, 64), 4);

	p = forger_read(&other.file, chunks[2].offset, chunks[2].stored);
	forger_put(&m.file, chunks[2].offset, p, chunks[2].stored);
	free(p);
	assert_err(verify(&m), ERR_AUTH);

	segment = first_segment(&m);
	p = forger_read(&other.file, segment.offset, segment.length);
	forger_put(&m.file, segment.offset, p, segment.length);
	free(p);
	assert_nothing_placed(&m);

	/* All of it is the other one's but what the key is for. */
	other.seal = &seals[0];
	assert_nothing_placed(&other);
	other.seal = &seals[1];
	assert_ok(verify(&other));
	machine_deinit(&m);
	machine_deinit(&other);
}

/* Any place of a segment, of the directory, and of the header. Planted: the segment's
 * tag, the directory's digest, the header's digest not checked. */
static void test_index_and_header(void **state)
{
	struct index_place segment;
	struct hostinfo host;
	struct machine m;

	(void)state;
	sealed_init(&m, 9, FAKE_MIXED, RUNS);
	assert_ok(write_image(&m, &usual, NULL));
	segment = first_segment(&m);
	for (uint32_t at = 0; at + FORGER_BYTES <= segment.length; at += 7) {
		forger_flip(&m.file, segment.offset + at);
		assert_err(image_check_index(&m.t, &m.slot, keys_of(&m), &m.host), ERR_AUTH);
		if (at % 49 == 0)
			assert_nothing_placed(&m);
		forger_flip(&m.file, segment.offset + at);
	}
	for (uint32_t at = 0; at + FORGER_BYTES <= m.slot.directory.length; at++) {
		forger_flip(&m.file, m.slot.directory.offset + at);
		assert_err(image_check_index(&m.t, &m.slot, keys_of(&m), &m.host), ERR_AUTH);
		assert_err(keyless_check(&m.t, &m.slot), ERR_AUTH);
		forger_flip(&m.file, m.slot.directory.offset + at);
	}
	for (uint32_t at = 0; at + FORGER_BYTES <= m.slot.header.length; at++) {
		forger_flip(&m.file, m.slot.header.offset + at);
		assert_err(image_read_header(&m.t, &m.slot, keys_of(&m), &host), ERR_AUTH);
		assert_err(image_read_header(&m.t, &m.slot, NULL, &host), ERR_AUTH);
		forger_flip(&m.file, m.slot.header.offset + at);
	}
	assert_ok(verify(&m));
	machine_deinit(&m);
}

/* All of the index is authentic before a page of its first segment is placed. More blocks
 * come before what is forged than the reader works on at once. Planted: the index not read as
 * a whole before. */
static void test_third_segment(void **state)
{
	struct machine m;

	(void)state;
	sealed_init(&m, 260, FAKE_WORDS, EVERY_SECOND);
	assert_ok(write_image(&m, &usual, NULL));
	forger_flip(&m.file, segment_at(&m, 2).offset + 60);
	assert_nothing_placed(&m);
	machine_deinit(&m);
}

/* Another header, with its checksum and its digest in the superblock. */
static void test_other_header(void **state)
{
	struct hostinfo host, got;
	uint8_t buf[HOSTINFO_MAX];
	struct machine m;
	size_t n;

	(void)state;
	sealed_init(&m, 4, FAKE_MIXED, RUNS);
	assert_ok(write_image(&m, &usual, NULL));
	host = m.host;
	host.jump_entry -= PAGE_BYTES;
	n = hostinfo_encode(&host, buf);
	assert_int_equal(n, m.slot.header.length);
	forger_write(&m.file, m.slot.header.offset, buf, n);
	m.slot.header.crc32c = crc32c(0, buf, n);
	assert_ok(digest_sha256(buf, n, m.slot.sealing.header_sha256));
	assert_ok(image_read_header(&m.t, &m.slot, NULL, &got)); /* nobody can tell without */
	assert_err(image_read_header(&m.t, &m.slot, keys_of(&m), &got), ERR_AUTH);
	assert_nothing_placed(&m);
	machine_deinit(&m);
}

#define FORGED(change)                                                                             \
	do {                                                                                       \
		struct slot before = m.slot;                                                       \
		change;                                                                            \
		assert_nothing_placed(&m);                                                         \
		assert_err(image_read_header(&m.t, &m.slot, keys_of(&m), &host), ERR_AUTH);        \
		m.slot = before;                                                                   \
	} while (0)

/* Each field that the tag is over, and the tag. Planted: the tag not compared, or not
 * before the header, or not before the index; the time left out of slot_tagged, and the
 * count of failures not. */
static void test_superblock(void **state)
{
	struct hostinfo host;
	struct machine m;

	(void)state;
	sealed_init(&m, 4, FAKE_MIXED, RUNS);
	assert_ok(write_image(&m, &usual, NULL));
	FORGED(m.slot.nonce[15] ^= 1);
	FORGED(m.slot.created++);
	FORGED(m.slot.features_incompat |= SLOT_INCOMPAT_SWAP);
	FORGED(m.slot.features_incompat = 0); /* said not to be sealed */
	FORGED(m.slot.header.crc32c ^= 1);
	FORGED(m.slot.directory.offset += PAGE_BYTES);
	FORGED(m.slot.image_end -= PAGE_BYTES);
	FORGED(m.slot.data_pages--);
	FORGED(m.slot.zero_pages++);
	FORGED(m.slot.fill_pages++);
	FORGED(m.slot.raw_bytes--);
	FORGED(m.slot.stored_bytes--);
	FORGED(m.slot.sealing.cipher = CIPHER_CHACHA20_POLY1305);
	FORGED(m.slot.sealing.cipher = 77);
	FORGED(m.slot.sealing.flags ^= SLOT_SEALED_AUTHENTICATED);
	FORGED(m.slot.sealing.key.offset += PAGE_BYTES);
	FORGED(m.slot.sealing.keyslots.length = 1);
	FORGED(m.slot.sealing.header_sha256[31] ^= 1);
	FORGED(m.slot.sealing.directory_sha256[0] ^= 1);
	FORGED(m.slot.tag[0] ^= 1);
	FORGED(m.slot.tag[31] ^= 0x80);
	/* What changes without the key, while the image is resumed and given up. */
	m.slot.state = SLOT_RESUMING;
	m.slot.generation += 17;
	m.slot.failed_resumes = 3;
	strcpy(m.slot.reason, "the disk was slow");
	assert_ok(verify(&m));
	machine_deinit(&m);
}

/* Cut off, for somebody and for who cannot say so in the superblock. */
static void test_truncated(void **state)
{
	struct machine m;

	(void)state;
	sealed_init(&m, 4, FAKE_MIXED, RUNS);
	assert_ok(write_image(&m, &usual, NULL));
	m.t.bytes = m.slot.image_end - PAGE_BYTES;
	assert_err(verify(&m), ERR_CORRUPT);
	m.slot.image_end -= PAGE_BYTES;
	assert_nothing_placed(&m);
	machine_deinit(&m);
}

/* Who has a key insists on it, and who has none is told. Planted: the index read without
 * a key as if it were not sealed; an image that is not sealed taken for one that is. */
static void test_keys(void **state)
{
	struct image_keys other = {{1}, {2}};
	struct hostinfo host;
	struct machine m;

	(void)state;
	sealed_init(&m, 4, FAKE_MIXED, RUNS);
	assert_ok(write_image(&m, &usual, NULL));
	assert_ok(image_read_header(&m.t, &m.slot, NULL, &host));
	assert_ok(keyless_check(&m.t, &m.slot));
	assert_err(image_check_index(&m.t, &m.slot, NULL, &m.host), ERR_AUTH);
	assert_err(image_check_index(&m.t, &m.slot, &other, &m.host), ERR_AUTH);
	m.seal = &seals[1];
	assert_nothing_placed(&m);
	m.seal = NULL;
	assert_nothing_placed(&m);
	/* An image that is not sealed, put in the place of one that was. */
	assert_ok(write_image(&m, &usual, NULL));
	assert_ok(verify(&m));
	m.seal = &seals[0];
	assert_nothing_placed(&m);
	machine_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chunks),	      cmocka_unit_test(test_swapped),
		cmocka_unit_test(test_replayed),      cmocka_unit_test(test_index_and_header),
		cmocka_unit_test(test_third_segment), cmocka_unit_test(test_other_header),
		cmocka_unit_test(test_superblock),    cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
