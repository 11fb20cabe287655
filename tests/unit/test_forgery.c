/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sealed images, and what somebody makes of them who can write the disk, knows the
 * format, and can make any checksum right (forger.h), but has no key: ERR_AUTH each
 * time, and nothing of what was not authenticated is placed. The faults that were
 * planted, and made it fail, are listed at each test.
 */
#include "testmachine.h"

#include "forger.h"
#include "image/indexscan.h"
#include "image/keyless.h"
#include "image/keywipe.h"
#include "keys/digest.h"

static const struct how plain = {"none", 2, false, false};

static struct image_seal seals[2]; /* of two images, with keys of their own */

static void make_seals(const char *cipher)
{
	struct seal_recipient to = {.authenticated = true};
	struct secret secret;

	assert_ok(secret_create(&secret));
	assert_ok(secret_public(&secret, to.public_key));
	memcpy(to.auth_key, secret.auth_key, sizeof(to.auth_key));
	for (int i = 0; i < 2; i++)
		assert_ok(sealing_make(&seals[i], cipher_by_name(cipher), &to, nonce));
	assert_memory_not_equal(seals[0].keys.data, seals[1].keys.data, IMAGE_KEY_BYTES);
}

static void sealed_init(struct machine *m, uint64_t blocks, enum fake_content content,
			enum pattern pattern)
{
	make_seals("aes-256-gcm");
	machine_init(m, blocks, content, pattern, false);
	m->seal = &seals[0];
}

/* All chunks of an image, by its key. */
static size_t list_chunks(struct machine *m, struct chunk *out, size_t max)
{
	struct indexscan scan;
	size_t n = 0;
	bool more;

	assert_ok(indexscan_init(&scan, &m->t, &m->slot, keys_of(m), &m->host));
	for (;; n++) {
		assert_true(n < max);
		assert_ok(indexscan_next(&scan, &out[n], &more));
		if (!more)
			break;
	}
	indexscan_deinit(&scan);
	return n;
}

static struct index_place segment_at(struct machine *m, uint32_t number)
{
	struct index_place place;
	struct indexscan scan;

	assert_ok(indexscan_init(&scan, &m->t, &m->slot, keys_of(m), &m->host));
	assert_true(number < scan.segments);
	assert_ok(directory_place(scan.directory, number, true, m->slot.image_end, &place));
	indexscan_deinit(&scan);
	return place;
}

static struct index_place first_segment(struct machine *m)
{
	return segment_at(m, 0);
}

/* Refused as a whole: before a page is placed. */
static void assert_nothing_placed(struct machine *m)
{
	struct fakemem to = empty_like(&m->mem);

	assert_err(restore(m, &to, &usual, NULL), ERR_AUTH);
	assert_untouched(&to);
	fake_deinit(&to);
}

/*
 * There and back, with each cipher, codec, and pages that lie together or not.
 * Planted: the chunk's number left out of its nonce when writing; the tag of a chunk lost
 * in the index.
 */
static void test_round_trips(void **state)
{
	static const char *const ciphers[] = {"aes-256-gcm", "chacha20-poly1305"};
	static const struct how how[] = {{"none", 2, false, false},
					 {"lzo", 1, true, false},
					 {"lz4", 3, false, true},
					 {"zstd", 2, false, false}};
	struct machine m;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ciphers) * ARRAY_LEN(how); i++)
		for (int pattern = 0; pattern < PATTERNS; pattern++) {
			const struct how *h = &how[i / ARRAY_LEN(ciphers)];

			make_seals(ciphers[i % ARRAY_LEN(ciphers)]);
			machine_init(&m, 9, FAKE_MIXED, (enum pattern)pattern, h->scattered);
			m.seal = &seals[0];
			round_trip(&m, h);
			assert_true(slot_is_sealed(&m.slot));
			assert_int_equal(m.slot.sealing.flags, SLOT_SEALED_AUTHENTICATED);
			machine_deinit(&m);
		}
}

static bool file_has(struct machine *m, const void *what, size_t n)
{
	uint8_t *all = forger_read(&m->file, 0, m->slot.image_end);
	bool has = memmem(all, m->slot.image_end, what, n) != NULL;

	free(all);
	return has;
}

/* Neither pages, nor the words that stand in the index, nor names of its parts.
 * Planted: segments not encrypted; chunks of codec "none" not encrypted, by the writer
 * or the reader. */
static void test_no_plaintext(void **state)
{
	static const uint64_t word = 0x1122334455667788ull;
	struct machine m;

	(void)state;
	for (int sealed = 0; sealed < 2; sealed++) {
		sealed_init(&m, 4, FAKE_TEXT, ALL);
		fake_fill(&m.mem, FAKE_TEXT, 7);
		for (size_t i = 0; i < PAGE_BYTES / 8; i++)
			memcpy(m.mem.mem + i * 8, &word, 8);
		m.seal = sealed ? m.seal : NULL;
		assert_ok(write_image(&m, &plain, NULL));
		assert_int_equal(file_has(&m, "dormouse 0x0000", 9), !sealed);
		assert_int_equal(file_has(&m, &word, 8), !sealed);
		assert_int_equal(file_has(&m, "DORM-IDX", 8), !sealed);
		assert_true(file_has(&m, "DORM-DIR", 8));
		machine_deinit(&m);
	}
}

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

/* Nothing is left where pages are placed into: not of free pages, whatever the host
 * trusts in. Planted: not where all pages were saved; only blocks that the image names. */
static void test_fill_all(void **state)
{
	static const enum free_fill fills[] = {FREE_FILL_NONE, FREE_FILL_ZERO, FREE_FILL_SAVE,
					       FREE_FILL_POISON};
	struct machine m;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fills); i++) {
		struct image_reader_options o = {.threads = 2, .fill_all = true};
		struct memory_sink sink;
		struct fakemem to;

		sealed_init(&m, 12, FAKE_MIXED, SPARSE_BLOCKS);
		m.host.free_fill = fills[i];
		assert_ok(write_image(&m, &usual, NULL));
		to = empty_like(&m.mem);
		sink = fake_sink(&to);
		o.keys = keys_of(&m);
		assert_ok(image_restore(&m.t, &m.slot, &m.host, &sink, &o));
		assert_restored(&m.mem, &to,
				fills[i] == FREE_FILL_POISON ? FREE_FILL_POISON : FREE_FILL_ZERO);
		fake_deinit(&to);
		machine_deinit(&m);
	}
}

static void tell(void *arg, err_t e)
{
	assert_int_equal(err_kind(e), ERR_AUTH);
	++*(unsigned int *)arg;
}

/* What is left of a forged image may be saved, but without what was forged. Planted: its
 * error not passed over. */
static void test_salvage(void **state)
{
	static struct chunk chunks[64];
	unsigned int told = 0;
	struct image_reader_options o = {.threads = 2, .damaged = tell, .damaged_arg = &told};
	struct memory_sink sink;
	struct fakemem to;
	struct machine m;

	(void)state;
	sealed_init(&m, 9, FAKE_TEXT, ALL);
	assert_ok(write_image(&m, &usual, NULL));
	list_chunks(&m, chunks, 64);
	forger_flip(&m.file, chunks[4].offset + 3);
	to = empty_like(&m.mem);
	sink = fake_sink(&to);
	o.keys = keys_of(&m);
	assert_ok(image_restore(&m.t, &m.slot, &m.host, &sink, &o));
	assert_int_equal(told, 1);
	for (size_t p = 0; p < 9 * CHUNK_PAGES; p++)
		if (m.mem.classes[p] == PAGE_SAVE)
			assert_int_equal(page_is(to.mem + p * PAGE_BYTES, FAKE_GUARD),
					 p / CHUNK_PAGES == 4);
	fake_deinit(&to);
	machine_deinit(&m);
}

/* Keyslots, and the sealed key itself; what of an image can be checked without its key.
 * Planted: key, keyslots or a segment not looked at by keyless_check. */
static void test_parts(void **state)
{
	static const uint8_t keyslots[] = "LUKS\xba\xbe and more";
	uint8_t block[KEYBLOCK_BYTES], *found = NULL;
	struct index_place segment;
	struct machine m;
	size_t n;

	(void)state;
	sealed_init(&m, 4, FAKE_MIXED, RUNS);
	m.seal->keyslots = keyslots;
	m.seal->keyslots_bytes = sizeof(keyslots);
	assert_ok(write_image(&m, &usual, NULL));
	assert_ok(image_read_sealed_key(&m.t, &m.slot, block));
	assert_memory_equal(block, m.seal->block, sizeof(block));
	assert_ok(image_read_keyslots(&m.t, &m.slot, &found, &n));
	assert_int_equal(n, sizeof(keyslots));
	assert_memory_equal(found, keyslots, n);
	free(found);
	assert_ok(keyless_check(&m.t, &m.slot));
	tempfile_flip(&m.file, m.slot.sealing.keyslots.offset, 1);
	assert_err(keyless_check(&m.t, &m.slot), ERR_CORRUPT);
	tempfile_flip(&m.file, m.slot.sealing.keyslots.offset, 1);
	segment = first_segment(&m);
	tempfile_flip(&m.file, segment.offset + segment.length - 1, 1);
	assert_err(keyless_check(&m.t, &m.slot), ERR_CORRUPT);
	tempfile_flip(&m.file, segment.offset + segment.length - 1, 1);
	tempfile_flip(&m.file, m.slot.sealing.key.offset + 4000, 1);
	assert_err(keyless_check(&m.t, &m.slot), ERR_CORRUPT);
	m.seal->keyslots_bytes = 0;
	assert_ok(write_image(&m, &usual, NULL));
	assert_ok(image_read_keyslots(&m.t, &m.slot, &found, &n));
	assert_int_equal(n, 0);
	m.seal = NULL;
	assert_ok(write_image(&m, &usual, NULL));
	assert_err(image_read_sealed_key(&m.t, &m.slot, block), ERR_AUTH);
	machine_deinit(&m);
}

/* Notes of a dump. Planted: their tag not checked, or the superblock's. */
static void test_notes(void **state)
{
	static const uint8_t text[] = "registers of CPU 0";
	struct image_writer_options o = {.threads = 1, .codec = choice("none")};
	struct sealer s;
	struct image_writer *w;
	struct machine m;
	uint8_t *notes;
	size_t n;

	(void)state;
	sealed_init(&m, 4, FAKE_ZERO, RUNS);
	o.seal = m.seal;
	memcpy(o.nonce, nonce, sizeof(o.nonce));
	assert_ok(image_writer_create(&o, &m.t, &w));
	assert_ok(image_writer_add_notes(w, text, sizeof(text), &m.host.notes));
	image_writer_destroy(w);
	assert_ok(write_image(&m, &plain, NULL)); /* over it: its own notes are at 16384, too */
	m.slot.image_end = 1 << 20;
	assert_ok(sealing_tag(keys_of(&m), &m.slot));
	{ /* as add_notes stages them */
		uint8_t sealed[sizeof(text) + CIPHER_TAG_BYTES];

		memcpy(sealed, text, sizeof(text));
		assert_ok(sealing_open(&s, m.slot.sealing.cipher, nonce, keys_of(&m)));
		assert_ok(sealing_encrypt(&s, SEALING_NOTES, 0, sealed, sizeof(text),
					  sealed + sizeof(text)));
		sealing_close(&s);
		assert_int_equal(m.host.notes.length, sizeof(sealed));
		assert_int_equal(m.host.notes.crc32c, crc32c(0, sealed, sizeof(sealed)));
		forger_write(&m.file, m.host.notes.offset, sealed, sizeof(sealed));
	}
	assert_ok(image_read_notes(&m.t, &m.slot, keys_of(&m), &m.host, &notes, &n));
	assert_int_equal(n, sizeof(text));
	assert_memory_equal(notes, text, n);
	free(notes);
	assert_err(image_read_notes(&m.t, &m.slot, NULL, &m.host, &notes, &n), ERR_AUTH);
	m.slot.created++;
	assert_err(image_read_notes(&m.t, &m.slot, keys_of(&m), &m.host, &notes, &n), ERR_AUTH);
	m.slot.created--;
	for (uint32_t at = 0; at + FORGER_BYTES <= m.host.notes.length; at++) {
		forger_flip(&m.file, m.host.notes.offset + at);
		assert_err(image_read_notes(&m.t, &m.slot, keys_of(&m), &m.host, &notes, &n),
			   ERR_AUTH);
		forger_flip(&m.file, m.host.notes.offset + at);
	}
	machine_deinit(&m);
}

/* Somebody presses a key when all is written. */
static err_t tick_at_end(void *arg, const struct image_progress *p)
{
	(void)arg;
	return p->done_pages == p->total_pages ? err_new(ERR_ABORTED, "at the end") : NULL;
}

static err_t write_given_up(struct machine *m)
{
	struct image_writer_options o = {
		.threads = 2, .codec = choice("none"), .tick = tick_at_end, .seal = m->seal};
	uint8_t *header = malloc(HOSTINFO_MAX);
	struct memory_source source = fake_source(&m->mem);
	struct image_writer *w;
	err_t e;

	memcpy(o.nonce, nonce, sizeof(nonce));
	memset(&m->slot, 0, sizeof(m->slot));
	memcpy(m->slot.nonce, nonce, sizeof(nonce));
	assert_ok(image_writer_create(&o, &m->t, &w));
	e = image_writer_run(w, &source, header, hostinfo_encode(&m->host, header), &m->slot);
	image_writer_destroy(w);
	free(header);
	return e;
}

static size_t find_key(struct machine *m)
{
	size_t n = m->t.bytes;
	uint8_t *all = forger_read(&m->file, 0, n), *p = memmem(all, n, "DORM-KEY", 8);
	size_t at = p ? (size_t)(p - all) : 0;

	free(all);
	return at;
}

/* A writer that gives up at its end leaves a sealed key, and tells where: it is overwritten.
 * (On a slow machine the key may be seen pressed before; then it is tried again.) */
static void test_given_up(void **state)
{
	struct machine m;
	size_t at = 0;

	(void)state;
	for (int i = 0; i < 100 && !at; i++) {
		sealed_init(&m, 4, FAKE_MIXED, RUNS);
		assert_err(write_given_up(&m), ERR_ABORTED);
		at = find_key(&m);
		if (at) {
			assert_true(slot_is_sealed(&m.slot));
			assert_int_equal(m.slot.sealing.key.offset, at);
			assert_ok(keywipe(&m.t, &m.slot));
			assert_int_equal(find_key(&m), 0);
		}
		machine_deinit(&m);
	}
	assert_true(at);
}

/* A cipher that this version does not know, in an image that is authentic. */
static void test_unknown_cipher(void **state)
{
	struct machine m;

	(void)state;
	sealed_init(&m, 4, FAKE_MIXED, RUNS);
	assert_ok(write_image(&m, &usual, NULL));
	m.slot.sealing.cipher = 0x102;
	assert_ok(sealing_tag(keys_of(&m), &m.slot));
	assert_err(verify(&m), ERR_UNSUPPORTED);
	machine_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),   cmocka_unit_test(test_no_plaintext),
		cmocka_unit_test(test_chunks),	      cmocka_unit_test(test_swapped),
		cmocka_unit_test(test_replayed),      cmocka_unit_test(test_index_and_header),
		cmocka_unit_test(test_third_segment), cmocka_unit_test(test_other_header),
		cmocka_unit_test(test_superblock),    cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_keys),	      cmocka_unit_test(test_fill_all),
		cmocka_unit_test(test_salvage),	      cmocka_unit_test(test_parts),
		cmocka_unit_test(test_notes),	      cmocka_unit_test(test_unknown_cipher),
		cmocka_unit_test(test_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
