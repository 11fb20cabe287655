/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Located targets on a file that stands for the disk.
 *
 * Planted faults that made it fail: extents sorted; the map written over data; a map that is
 * not read back; the sector not saved at all (the locator of an older image saved in its
 * place: test_commit_located); the map written over of an image, or where nobody knows if
 * there is one; a locator's nonce not held against the map's, or its place; a map that cannot
 * be read taken for one that is gone; a map that is read not checked as a whole; a locator of
 * the right image and another map taken; a handoff's nonce or size not compared.
 */
#include "unit.h"

#include "base/util.h"
#include "formats/extentmap.h"
#include "image/commit.h"
#include "image/located.h"
#include "image/targetrecord.h"
#include "tempfile.h"
#include "testmachine.h"

#define PAGES	4096u
#define LOCATOR (5 * PAGE_BYTES + LOCATED_LOCATOR_AT) /* swap page 0 is page 5 of the disk */
#define HEAD	(40 * PAGE_BYTES)

static const uint8_t other_nonce[NONCE_BYTES] = "another's nonce";

static void put(struct tempfile *f, uint64_t at, const void *bytes, size_t n)
{
	assert_int_equal(pwrite(f->fd, bytes, n, (off_t)at), n);
}

static void get(struct tempfile *f, uint64_t at, void *bytes, size_t n)
{
	assert_int_equal(pread(f->fd, bytes, n, (off_t)at), n);
}

static void disk_open(struct tempfile *f)
{
	uint8_t sector[512];

	tempfile_open(f, PAGES * (uint64_t)PAGE_BYTES);
	memset(sector, 'z', sizeof(sector));
	put(f, LOCATOR, sector, sizeof(sector));
}

/* Of the pages from 100 on, three of four; in an order of chance. */
static uint32_t slots(struct extent *list, uint32_t count)
{
	uint64_t seed = 5;

	for (uint32_t i = 0; i < count; i++)
		list[i] = (struct extent){(100 + 4 * (uint64_t)i) * PAGE_BYTES,
					  (1 + i % 3) * PAGE_BYTES};
	for (uint32_t i = count - 1; i; i--) {
		uint32_t k = (uint32_t)(unit_random(&seed) % (i + 1));
		struct extent swap = list[i];

		list[i] = list[k];
		list[k] = swap;
	}
	return count;
}

/* Every page of the target has a place of its own on the disk. */
static void fill(const struct target *t)
{
	uint8_t *page = target_buffer(PAGE_BYTES);

	for (uint64_t at = SLOT_DATA_START; at < t->bytes; at += PAGE_BYTES) {
		memset(page, (int)(at / PAGE_BYTES % 251), PAGE_BYTES);
		memcpy(page, &at, sizeof(at));
		assert_ok(target_write(t, page, PAGE_BYTES, at));
	}
	free(page);
}

static void assert_filled(const struct target *t)
{
	uint8_t *page = target_buffer(PAGE_BYTES);

	for (uint64_t at = SLOT_DATA_START; at < t->bytes; at += PAGE_BYTES) {
		assert_ok(target_read(t, page, PAGE_BYTES, at));
		assert_memory_equal(page, &at, sizeof(at));
		assert_int_equal(page[PAGE_BYTES - 1], at / PAGE_BYTES % 251);
	}
	free(page);
}

static void assert_same_target(const struct target *a, const struct target *b)
{
	assert_int_equal(a->extent_count, b->extent_count);
	assert_memory_equal(a->extents, b->extents, a->extent_count * sizeof(*a->extents));
	assert_int_equal(a->bytes, b->bytes);
	assert_int_equal(a->map_place, b->map_place);
	assert_int_equal(a->locator, b->locator);
	assert_memory_equal(a->map_nonce, b->map_nonce, NONCE_BYTES);
	assert_memory_equal(a->saved, b->saved, sizeof(a->saved));
}

/* Extents in any order, with a map of one block and of several. Data does not touch the
 * map, nor what is none of the target's. */
static void test_scattered(void **state)
{
	static const uint32_t counts[] = {5, 220, 221, 900};

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(counts); n++) {
		struct extent list[900];
		struct target t, again;
		struct tempfile f;
		uint8_t sector[512];

		disk_open(&f);
		slots(list, counts[n]);
		assert_ok(located_create(f.path, list, counts[n], LOCATOR, nonce, &t));
		assert_int_equal(t.bytes, located_bytes(list, counts[n]));
		assert_int_equal(t.map_place, located_map_place(list, counts[n]));
		assert_int_equal(t.extents[0].start, list[0].start);
		fill(&t);
		assert_ok(located_open(f.path, false, t.map_place, &again));
		assert_same_target(&t, &again);
		assert_filled(&again);
		get(&f, LOCATOR, sector, sizeof(sector));
		assert_memory_equal(sector, t.saved, sizeof(sector));
		target_close(&t);
		target_close(&again);
		tempfile_close(&f);
	}
}

/* A real image in it, there and back. */
static void test_image(void **state)
{
	static const struct how hows[] = {{"lzo", 2, false, false}, {"none", 3, true, false}};

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(hows); n++) {
		struct extent list[4000];
		struct machine m;

		machine_init(&m, 8, FAKE_TEXT, RUNS, false);
		target_close(&m.t);
		assert_int_equal(ftruncate(m.file.fd, 64 * MIB), 0);
		assert_ok(
			located_create(m.file.path, list, slots(list, 4000), LOCATOR, nonce, &m.t));
		round_trip(&m, &hows[n]);
		machine_deinit(&m);
	}
}

/* One of the many parts of a request fails: the error comes back, and nothing is left in
 * flight. Planted: a request handed back with parts of it in flight; the error dropped. */
static void test_part_fails(void **state)
{
	(void)state;
	for (int write = 0; write < 2; write++)
		for (uint32_t at = 8; at < 200; at += 47) {
			struct how how = {"none", 2, false, false};
			struct extent list[1000];
			struct machine m;
			struct fakemem to;

			machine_init(&m, 4, FAKE_RANDOM, ALL, false);
			assert_int_equal(ftruncate(m.file.fd, 64 * MIB), 0);
			target_close(&m.t);
			assert_ok(located_create(m.file.path, list, slots(list, 1000), LOCATOR,
						 nonce, &m.t));
			to = empty_like(&m.mem);
			if (!write)
				assert_ok(write_image(&m, &how, NULL));
			m.t.extents[at].start = 1ull << 62; /* a file is never so large */
			assert_err(write ? write_image(&m, &how, NULL)
					 : restore(&m, &to, &how, NULL),
				   ERR_IO);
			fake_deinit(&to);
			machine_deinit(&m);
		}
}

static void test_refused(void **state)
{
	static const struct extent good[] = {{HEAD, 6 * PAGE_BYTES},
					     {50 * PAGE_BYTES, 5 * PAGE_BYTES}};
	struct extent bad[2];
	struct tempfile f;
	struct target t;

	(void)state;
	disk_open(&f);
	memset(&t, 0x5a, sizeof(t));
	for (int i = 0; i < 7; i++) {
		memcpy(bad, good, sizeof(bad));
		switch (i) {
		case 0:
			bad[1].start += 512;
			break;
		case 1:
			bad[1].length = 0;
			break;
		case 2:
			bad[1].start = HEAD + PAGE_BYTES; /* overlap */
			break;
		case 3:
			bad[1].start = 2 * PAGE_BYTES; /* the locator's page */
			break;
		case 4:
			bad[1].start = PAGES * PAGE_BYTES;
			break;
		case 5:
			bad[0].length = 16384 - 4096; /* no head */
			break;
		default:
			bad[1].start = 1ull << 63;
		}
		assert_err(located_create(f.path, bad, 2, i == 5 ? 0 : LOCATOR, nonce, &t),
			   ERR_INVALID);
	}
	assert_err(located_create(f.path, good, 2, LOCATOR + 512, nonce, &t), ERR_INVALID);
	assert_err(located_create(f.path, good, 2, PAGES * PAGE_BYTES + 3584, nonce, &t),
		   ERR_INVALID);
	assert_err(located_create(f.path, good, 0, LOCATOR, nonce, &t), ERR_NOSPACE);
	assert_err(located_create(f.path, good + 1, 0, LOCATOR, nonce, &t), ERR_NOSPACE);
	bad[0] = (struct extent){HEAD, SLOT_DATA_START};
	assert_err(located_create(f.path, bad, 1, 0, nonce, &t), ERR_NOSPACE);
	assert_int_equal(located_bytes(bad, 1), 0);
	assert_int_equal(located_map_place(bad, 1), 0);
	assert_int_equal(t.map_place, 0x5a5a5a5a5a5a5a5a); /* unchanged */
	assert_err(located_open_head(f.path, false, HEAD + 512, &t), ERR_INVALID);
	assert_err(located_open_head(f.path, false, (PAGES - 3) * PAGE_BYTES, &t), ERR_INVALID);
	assert_err(located_open_locator(f.path, false, 5 * PAGE_BYTES, &t), ERR_INVALID);
	assert_err(located_open(f.path, false, HEAD, &t), ERR_FORMAT);
	assert_err(located_open(f.path, false, HEAD + 1, &t), ERR_CORRUPT);
	tempfile_close(&f);
}

static void make_file(struct tempfile *f, struct target *t)
{
	static const struct extent parts[] = {{HEAD, 30 * PAGE_BYTES},
					      {2000 * PAGE_BYTES, 200 * PAGE_BYTES},
					      {100 * PAGE_BYTES, 300 * PAGE_BYTES}};

	assert_ok(located_create(f->path, parts, 3, 0, nonce, t));
}

/* Found by its head. Without a sound map the slots can be looked at, and no more. */
static void test_head(void **state)
{
	struct target t, again;
	struct commit c;
	struct hostinfo info;
	struct tempfile f;

	(void)state;
	disk_open(&f);
	make_file(&f, &t);
	assert_ok(located_open_head(f.path, true, HEAD, &again));
	assert_same_target(&t, &again);
	assert_ok(located_check(&again));
	target_close(&again);
	assert_ok(commit_begin(&t, &c, nonce, 1));
	target_close(&t);
	tempfile_flip(&f, HEAD + LOCATED_MAP_OFFSET + 600, 1);
	assert_ok(located_open_head(f.path, true, HEAD, &again));
	assert_int_equal(again.bytes, LOCATED_HEAD_BYTES);
	assert_true(again.map_gone && !again.map_unreadable);
	assert_ok(commit_load(&again, &c));
	assert_int_equal(c.slot.state, SLOT_WRITING);
	assert_err(located_check(&again), ERR_CORRUPT);
	c.slot.header = (struct slot_region){16384, 100, 0};
	assert_err(image_read_header(&again, &c.slot, NULL, &info), ERR_CORRUPT);
	again.map_unreadable = true;
	assert_err(image_read_header(&again, &c.slot, NULL, &info), ERR_IO);
	target_close(&again);
	/* The map of slots of a swap area, at a place where a head could be. */
	assert_ok(located_create(f.path, &(struct extent){HEAD, 10 * PAGE_BYTES}, 1, LOCATOR, nonce,
				 &t));
	target_close(&t);
	assert_ok(located_open_head(f.path, true, HEAD, &again));
	assert_true(again.map_gone);
	target_close(&again);
	tempfile_close(&f);
}

static err_t good_read(const struct target *t, void *buf, size_t n, uint64_t place)
{
	return pread(t->fd, buf, n, (off_t)place) == (ssize_t)n ? NULL : err_errno("pread");
}

/* A device whose page of that place cannot be read. */
static uint64_t bad_place;

static err_t bad_read(const struct target *t, void *buf, size_t n, uint64_t place)
{
	return place == bad_place ? err_new(ERR_IO, "%s: planted", t->name)
				  : good_read(t, buf, n, place);
}

static err_t file_write(const struct target *t, const void *buf, size_t n, uint64_t place)
{
	return pwrite(t->fd, buf, n, (off_t)place) == (ssize_t)n ? NULL : err_errno("pwrite");
}

static err_t no_flush(const struct target *t)
{
	(void)t;
	return NULL;
}

static err_t forgetful_write(const struct target *t, const void *buf, size_t n, uint64_t place)
{
	return place == bad_place ? NULL : file_write(t, buf, n, place);
}

static const struct target_device bad = {bad_read, file_write, no_flush};
static const struct target_device forgetful = {good_read, forgetful_write, no_flush};

static struct target on_device(struct tempfile *f, const struct target_device *device)
{
	struct target t;

	assert_ok(target_open(&t, f->path, true, false));
	t.device = device;
	return t;
}

/* "Nobody knows" is another thing than "it is gone"; and nothing of the disk is changed. */
static void test_unreadable(void **state)
{
	struct extent list[300];
	struct target t;
	struct tempfile f;
	uint64_t map;

	(void)state;
	disk_open(&f);
	make_file(&f, &t);
	map = t.map_place;
	target_close(&t);
	t = on_device(&f, &bad);
	bad_place = map;
	assert_err(located_enter(&t, map), ERR_IO);
	assert_int_equal(t.bytes, PAGES * PAGE_BYTES); /* still the whole disk */
	assert_ok(located_enter_head(&t, HEAD));
	assert_true(t.map_gone && t.map_unreadable);
	assert_err(located_check(&t), ERR_IO);
	target_close(&t);
	/* A superblock, which may be that of an image: its map is not written over. */
	t = on_device(&f, &bad);
	bad_place = HEAD + SLOT_A_OFFSET;
	assert_err(located_lay(&t, &(struct extent){HEAD, 30 * PAGE_BYTES}, 1, 0, other_nonce),
		   ERR_IO);
	target_close(&t);
	/* The sector that would have to be saved. */
	t = on_device(&f, &bad);
	bad_place = LOCATOR - LOCATED_LOCATOR_AT;
	slots(list, 300);
	assert_err(located_lay(&t, list, 300, LOCATOR, nonce), ERR_IO);
	assert_int_equal(t.map_place, 0);
	assert_err(located_enter_locator(&t, LOCATOR), ERR_IO);
	target_close(&t);
	tempfile_close(&f);
}

/* A write that says yes and does nothing, of the first block of the map, or of another. */
static void test_lost_write(void **state)
{
	struct extent list[300];
	struct extentmap m;
	struct tempfile f;

	(void)state;
	disk_open(&f);
	slots(list, 300);
	assert_ok(extentmap_plan(&m, list, 300));
	for (uint32_t i = 0; i < m.blocks; i++) {
		struct target t = on_device(&f, &forgetful);

		bad_place = m.places[i];
		/* It can be read, and is not what was written. */
		assert_err(located_lay(&t, list, 300, LOCATOR, i ? nonce : other_nonce), ERR_IO);
		target_close(&t);
	}
	extentmap_deinit(&m);
	tempfile_close(&f);
}

static void put_locator(struct tempfile *f, uint64_t at, const uint8_t n[NONCE_BYTES], uint64_t map)
{
	struct locator l = {.map = map};
	uint8_t sector[LOCATOR_BYTES];

	memcpy(l.nonce, n, NONCE_BYTES);
	locator_encode(&l, sector);
	put(f, at, sector, sizeof(sector));
}

/* Found by the locator: only by its own one, at its own place. */
static void test_locator(void **state)
{
	struct extent list[300];
	struct target t, again;
	struct tempfile f;
	uint8_t sector[512], page[PAGE_BYTES];

	(void)state;
	disk_open(&f);
	assert_ok(located_create(f.path, list, slots(list, 300), LOCATOR, nonce, &t));
	assert_err(located_open_locator(f.path, true, LOCATOR, &again), ERR_FORMAT);
	put_locator(&f, LOCATOR, nonce, t.map_place);
	assert_ok(located_open_locator(f.path, true, LOCATOR, &again));
	assert_same_target(&t, &again);
	target_close(&again);
	put_locator(&f, LOCATOR, other_nonce, t.map_place);
	assert_err(located_open_locator(f.path, true, LOCATOR, &again), ERR_CORRUPT);
	put_locator(&f, LOCATOR, nonce, t.map_place + PAGE_BYTES);
	assert_err(located_open_locator(f.path, true, LOCATOR, &again), ERR_CORRUPT);
	put_locator(&f, LOCATOR, nonce, PAGES * PAGE_BYTES);
	assert_err(located_open_locator(f.path, true, LOCATOR, &again), ERR_CORRUPT);
	/* A copy of the map's first block elsewhere. */
	get(&f, t.map_place, page, sizeof(page));
	put(&f, 50 * PAGE_BYTES, page, sizeof(page));
	put_locator(&f, LOCATOR, nonce, 50 * PAGE_BYTES);
	assert_err(located_open_locator(f.path, true, LOCATOR, &again), ERR_CORRUPT);
	/* A copy of the swap area's page 0 elsewhere. */
	put_locator(&f, LOCATOR - PAGE_BYTES, nonce, t.map_place);
	assert_err(located_open_locator(f.path, true, LOCATOR - PAGE_BYTES, &again), ERR_CORRUPT);
	put_locator(&f, LOCATOR, nonce, t.map_place);
	tempfile_flip(&f, LOCATOR + 200, 1);
	assert_err(located_open_locator(f.path, true, LOCATOR, &again), ERR_CORRUPT);
	/* It can only be made anew then. */
	assert_err(located_create(f.path, list, 300, LOCATOR, other_nonce, &again), ERR_REFUSED);
	memset(sector, 0, sizeof(sector));
	put(&f, LOCATOR, sector, sizeof(sector));
	assert_ok(located_create(f.path, list, 300, LOCATOR, other_nonce, &again));
	target_close(&again);
	target_close(&t);
	tempfile_close(&f);
}

static const struct slot whole = {
	.header = {16384, 100, 0}, .directory = {20480, 32, 0}, .image_end = 24576};

/* An image is found by what it is found by at a boot, and its map not written over. */
static void test_holds_image(void **state)
{
	struct extent list[300];
	struct target t, again;
	struct tempfile f;
	struct commit c;

	(void)state;
	disk_open(&f);
	assert_ok(located_create(f.path, list, slots(list, 300), LOCATOR, nonce, &t));
	assert_ok(commit_begin(&t, &c, nonce, 1));
	assert_ok(commit_valid(&t, &c, &whole));
	put_locator(&f, LOCATOR, nonce, t.map_place + PAGE_BYTES); /* of another map */
	assert_ok(commit_load(&t, &c));
	assert_true(commit_is_dead(&c));
	put_locator(&f, LOCATOR, nonce, t.map_place);
	assert_ok(commit_load(&t, &c));
	assert_false(commit_is_dead(&c));
	assert_err(located_create(f.path, list + 100, 200, LOCATOR, other_nonce, &again),
		   ERR_REFUSED);
	assert_ok(commit_retire(&t, &c, "x"));
	assert_ok(located_create(f.path, list + 100, 200, LOCATOR, other_nonce, &again));
	assert_memory_equal(again.saved, t.saved, sizeof(t.saved));
	target_close(&again);
	target_close(&t);
	make_file(&f, &t);
	assert_ok(commit_begin(&t, &c, nonce, 1));
	assert_ok(commit_valid(&t, &c, &whole));
	assert_err(located_create(f.path, t.extents, t.extent_count, 0, other_nonce, &again),
		   ERR_REFUSED);
	target_close(&t);
	tempfile_close(&f);
}

static void assert_told(struct tempfile *f, const struct target *t, bool located)
{
	struct handoff *h = calloc(1, sizeof(*h));
	struct target got;

	memcpy(h->nonce, nonce, sizeof(nonce));
	assert_ok(targetrecord_put(t, h));
	assert_int_equal(h->map_place != 0, located);
	assert_int_equal(h->extent_count != 0, !located);
	assert_ok(targetrecord_open(h, f->path, true, &got));
	assert_same_target(t, &got);
	target_close(&got);
	h->device_bytes++;
	assert_err(targetrecord_open(h, f->path, true, &got), ERR_REFUSED);
	h->device_bytes--;
	if (located) {
		h->nonce[3] ^= 1;
		assert_err(targetrecord_open(h, f->path, true, &got), ERR_REFUSED);
	}
	free(h);
}

static void test_handoff(void **state)
{
	struct extent list[700];
	struct handoff *h = calloc(1, sizeof(*h));
	struct tempfile f;
	struct target t;

	(void)state;
	disk_open(&f);
	assert_ok(target_open(&t, f.path, true, false));
	assert_told(&f, &t, false);
	slots(list, 700);
	assert_ok(target_set_extents(&t, list, 700));
	assert_err(targetrecord_put(&t, h), ERR_INVALID);
	target_close(&t);
	assert_ok(located_create(f.path, list, 700, LOCATOR, nonce, &t));
	assert_told(&f, &t, true);
	target_close(&t);
	assert_ok(located_open_head(f.path, true, HEAD, &t));
	assert_err(targetrecord_put(&t, h), ERR_CORRUPT);
	target_close(&t);
	free(h);
	tempfile_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scattered),   cmocka_unit_test(test_image),
		cmocka_unit_test(test_part_fails),  cmocka_unit_test(test_refused),
		cmocka_unit_test(test_head),	    cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_lost_write),  cmocka_unit_test(test_locator),
		cmocka_unit_test(test_holds_image), cmocka_unit_test(test_handoff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
