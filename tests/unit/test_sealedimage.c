/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sealed images that nobody has touched: there and back, what stands in them in the clear, what
 * can be saved of a damaged one, and what is left of the key of one that was given up. The faults
 * that were planted, and made it fail, are listed at each test.
 */
#include "sealedfixture.h"

#include "image/keyless.h"
#include "image/keywipe.h"

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
		cmocka_unit_test(test_round_trips), cmocka_unit_test(test_no_plaintext),
		cmocka_unit_test(test_fill_all),    cmocka_unit_test(test_salvage),
		cmocka_unit_test(test_parts),	    cmocka_unit_test(test_notes),
		cmocka_unit_test(test_given_up),    cmocka_unit_test(test_unknown_cipher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
