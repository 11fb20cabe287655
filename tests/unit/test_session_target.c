/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The disk is a file, kernel and preflight are made up. Faults planted, each found: all free
 * swap reserved, or more than the largest image; extents not asked for after slots were
 * reserved; a map laid although it has moved, or the pin is another; a file's with a locator, swap
 * without; the LUKS header marked too late, or its mark taken away although an image
 * may be there; the next target tried with the last one's slots still held, or the same one
 * again.
 */
#include "unit.h"

#include "host/session/session.h"

#include "base/util.h"
#include "formats/locator.h"
#include "host/checks/imagesize.h"
#include "host/disks/keptsector.h"
#include "host/disks/swapslots.h"
#include "image/located.h"
#include "tempfile.h"

#include <stdio.h>

#define DISK_BYTES (1 * MIB)
#define PAGE0	   (4 * KIB)
#define LAST	   16

/* What happened, in its order: one letter for each. */
static char did[LAST + 1];

static void note(char letter)
{
	size_t n = strlen(did);

	assert_true(n < LAST);
	did[n] = letter;
	did[n + 1] = '\0';
}

static struct {
	struct tempfile disk;
	uint64_t available, wanted; /* of swap */
	struct extent extents[2];   /* what location_map finds, up to length 0 */
	bool frozen, bad_pin;
	bool cannot_open;     /* the volume's mapping */
	struct location next; /* what preflight chooses */
	err_t not_fit;	      /* instead */
	uint32_t from;
} machine;

bool location_is_swap(const struct location *l)
{
	return l->kind == LOCATION_SWAP;
}

bool location_is_located(const struct location *l)
{
	return l->kind == LOCATION_SWAP || l->kind == LOCATION_FILE;
}

const char *location_device(const struct location *l)
{
	return l->name + (l->kind == LOCATION_LUKS ? 5 : 0);
}

void location_deinit(struct location *l)
{
	note('x');
	extentlist_deinit(&l->slots);
	extentlist_deinit(&l->extents);
	l->kind = LOCATION_NONE;
}

err_t location_map(struct location *l, bool frozen)
{
	note('m');
	machine.frozen = frozen;
	extentlist_deinit(&l->extents);
	for (size_t i = 0; i < ARRAY_LEN(machine.extents) && machine.extents[i].length; i++)
		TRY(extentlist_add(&l->extents, machine.extents[i].start,
				   machine.extents[i].length));
	return NULL;
}

err_t location_check_pin(const struct location *l, const struct pins *pins)
{
	(void)l, (void)pins;
	note('p');
	return machine.bad_pin ? err_new(ERR_REFUSED, "moved") : NULL;
}

err_t swapslots_choose(int snapshot, dev_t dev, uint64_t first_page, uint64_t *available)
{
	assert_int_equal(snapshot, 77);
	assert_int_equal(dev, 0x801);
	assert_int_equal(first_page, 5);
	note('c');
	*available = machine.available;
	return NULL;
}

err_t swapslots_reserve(int snapshot, uint64_t bytes, struct extentlist *out)
{
	assert_int_equal(snapshot, 77);
	note('r');
	machine.wanted = bytes;
	return extentlist_add(out, 64 * KIB, 64 * KIB);
}

void keptsector_put_back(const struct keptsector_where *where)
{
	assert_null(where);
	note('k');
}

err_t luksvolume_open(const char *device, struct luksvolume *out)
{
	assert_string_equal(device, "/dev/sda2");
	note('o');
	memset(out, 0, sizeof(*out));
	snprintf(out->path, sizeof(out->path), "%s",
		 machine.cannot_open ? "/nonexistent" : machine.disk.path);
	return NULL;
}

err_t luksvolume_mark(struct luksvolume *v, bool image)
{
	note(image ? '+' : '-');
	v->marked = image;
	return NULL;
}

void luksvolume_close(struct luksvolume *v)
{
	if (v->path[0])
		note('q');
	v->path[0] = '\0';
}

err_t freeze_init(struct freeze *f)
{
	note('s');
	f->snapshot = 77;
	return NULL;
}

void freeze_deinit(struct freeze *f)
{
	note('d');
	f->snapshot = -1;
}

err_t preflight_init(struct preflight *p, const struct config *config,
		     const struct writer_files *writer, err_t writer_error)
{
	assert_null(writer);
	assert_null(writer_error);
	p->config = config;
	return NULL;
}

err_t preflight_choose_target(struct preflight *p, uint32_t from)
{
	err_t e = machine.not_fit;

	machine.from = from;
	machine.not_fit = NULL;
	p->candidate = from;
	p->location = machine.next;
	return e;
}

uint64_t imagesize_worst(const struct preflight *p)
{
	(void)p;
	return 3 * MIB;
}

void preflight_deinit(struct preflight *p)
{
	if (p->location.kind != LOCATION_NONE)
		location_deinit(&p->location);
}

#include "host/disks/extentlist.c"
#include "host/session/session_target.c"

static int setup(void **state)
{
	struct session *s = calloc(1, sizeof(*s));

	memset(&machine, 0, sizeof(machine));
	did[0] = '\0';
	tempfile_open(&machine.disk, DISK_BYTES);
	machine.available = 80 * MIB;
	machine.extents[0] = (struct extent){128 * KIB, 64 * KIB};
	s->target.fd = -1;
	s->freeze.snapshot = 77;
	s->worst = 1024 * MIB;
	memcpy(s->nonce, "0123456789abcdef", NONCE_BYTES);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct session *s = *state;

	did[0] = '\0';
	target_close(&s->target);
	location_deinit(&s->location);
	tempfile_close(&machine.disk);
	free(s);
	return 0;
}

/* By its name a device, its place on the disk already known. */
static void be(struct location *l, enum location_kind kind, const char *name)
{
	memset(l, 0, sizeof(*l));
	l->kind = kind;
	l->fd = -1;
	l->dev = 0x801;
	l->swap_page = 5;
	snprintf(l->name, sizeof(l->name), "%s", name);
	strcpy(l->disk.disk_name, machine.disk.path);
	l->disk.disk_bytes = DISK_BYTES;
	l->pin.byte = PAGE0 + LOCATED_LOCATOR_AT;
}

static void test_room(void **state)
{
	(void)state;
	assert_int_equal(swapslots_room(4096 * MIB), 4032 * MIB);
	assert_int_equal(swapslots_room(80 * MIB), 70 * MIB);
	assert_int_equal(swapslots_room(0), 0);
}

static void test_reserve_swap(void **state)
{
	struct session *s = *state;

	be(&s->location, LOCATION_SWAP, "/dev/swap");
	assert_ok(session_reserve(s));
	assert_string_equal(did, "ckrm");
	assert_int_equal(machine.wanted, 70 * MIB);
	assert_false(machine.frozen);
	assert_int_equal(s->location.room, 64 * KIB);
	/* Again, for the next attempt: what was reserved before is another's by now. */
	assert_ok(session_reserve(s));
	assert_int_equal(s->location.slots.count, 1);
	assert_int_equal(s->location.slots.list[0].length, 64 * KIB);
	/* No more than the largest image takes. */
	s->worst = 30 * MIB;
	assert_ok(session_reserve(s));
	assert_int_equal(machine.wanted, 30 * MIB);
	machine.extents[0].length = 8 * KIB; /* too little for slots and map */
	assert_err(session_reserve(s), ERR_NOSPACE);
}

static void test_reserve_others(void **state)
{
	struct session *s = *state;

	be(&s->location, LOCATION_DEVICE, machine.disk.path);
	assert_ok(session_reserve(s));
	assert_int_equal(s->target.bytes, DISK_BYTES);
	target_close(&s->target);
	be(&s->location, LOCATION_DEVICE, "/nonexistent");
	assert_err(session_reserve(s), ERR_INVALID);
	be(&s->location, LOCATION_FILE, "/img");
	assert_err(session_reserve(s), ERR_NOSPACE); /* location_find was to map it */
	assert_ok(location_map(&s->location, false));
	assert_ok(session_reserve(s));
	assert_string_equal(did, "m");
	assert_int_equal(s->target.fd, -1); /* opened when all is frozen */
}

static void test_volume(void **state)
{
	struct session *s = *state;

	be(&s->location, LOCATION_LUKS, "luks:/dev/sda2");
	assert_ok(session_reserve(s));
	assert_string_equal(did, "o+");
	assert_string_equal(s->target.name, "luks:/dev/sda2");
	assert_true(s->target.fd >= 0);
	target_close(&s->target);
	/* WRITING may be there: a boot has to look. */
	s->begun = true;
	session_give_back_volume(s);
	assert_string_equal(did, "o+q");
	assert_true(s->volume.marked);
	s->begun = false;
	session_give_back_volume(s);
	assert_string_equal(did, "o+q-");
	session_give_back_volume(s); /* there is none any more */
	assert_string_equal(did, "o+q-");
	machine.cannot_open = true;
	assert_true(unit_is_err(session_reserve(s)));
	session_give_back_volume(s);
	assert_string_equal(did, "o+q-o+-q");
}

static void test_place(void **state)
{
	struct session *s = *state;
	struct handoff *h = calloc(1, sizeof(*h));

	be(&s->location, LOCATION_FILE, "/img");
	machine.extents[0] = (struct extent){128 * KIB, 8 * KIB};
	machine.extents[1] = (struct extent){512 * KIB, 64 * KIB};
	assert_ok(location_map(&s->location, false));
	session_place(s, h);
	assert_int_equal(h->device_bytes, DISK_BYTES);
	assert_int_equal(h->map_place, 516 * KIB); /* 12 KiB after the beginning of all */
	assert_string_equal(h->device_name, "/img");
	free(h);
}

static void test_lay(void **state)
{
	struct session *s = *state;
	struct locator l = {.map = 140 * KIB};
	uint8_t sector[LOCATOR_BYTES];
	bool moved = true;

	for (int swap = 0; swap < 2; swap++) {
		struct target t;

		be(&s->location, swap ? LOCATION_SWAP : LOCATION_FILE, "/dev/swap");
		assert_ok(location_map(&s->location, false));
		did[0] = '\0';
		assert_ok(session_lay(s, &moved));
		assert_false(moved);
		assert_true(machine.frozen);
		assert_string_equal(did, "mp");
		assert_string_equal(s->target.name, "/dev/swap");
		assert_int_equal(s->target.locator, swap ? PAGE0 + LOCATED_LOCATOR_AT : 0);
		assert_int_equal(s->target.map_place, 140 * KIB);
		/* As the writer finds it. */
		assert_ok(located_open(machine.disk.path, false, 140 * KIB, &t));
		assert_memory_equal(t.map_nonce, s->nonce, NONCE_BYTES);
		target_close(&t);
		location_deinit(&s->location);
	}
	/* Not a word of it before WRITING. */
	locator_encode(&l, sector);
	assert_int_equal(pread(machine.disk.fd, sector, sizeof(sector), PAGE0 + LOCATOR_AT), 512);
	assert_err(locator_decode(sector, &l), ERR_FORMAT);
}

/* Nothing is written. */
static void expect_blank(void)
{
	static const uint8_t zeros[DISK_BYTES];
	uint8_t *now = malloc(DISK_BYTES);

	assert_int_equal(pread(machine.disk.fd, now, DISK_BYTES, 0), DISK_BYTES);
	assert_memory_equal(now, zeros, DISK_BYTES);
	free(now);
}

static void test_moved(void **state)
{
	struct session *s = *state;
	bool moved = true;

	be(&s->location, LOCATION_FILE, "/img");
	assert_ok(location_map(&s->location, false));
	machine.bad_pin = true;
	assert_err(session_lay(s, &moved), ERR_REFUSED);
	assert_false(moved);
	machine.bad_pin = false;
	machine.extents[0].start += 4 * KIB;
	assert_err(session_lay(s, &moved), ERR_IO);
	assert_true(moved);
	expect_blank();
	/* Behind its head it may: the writer reads the map. */
	machine.extents[0] = (struct extent){132 * KIB, 16 * KIB};
	machine.extents[1] = (struct extent){512 * KIB, 64 * KIB};
	assert_ok(session_lay(s, &moved));
	assert_false(moved);
	target_close(&s->target);
	location_deinit(&s->location);
	be(&s->location, LOCATION_DEVICE, machine.disk.path);
	moved = true;
	did[0] = '\0';
	assert_ok(session_lay(s, &moved));
	assert_false(moved);
	assert_string_equal(did, "");
}

static void test_next(void **state)
{
	struct config *config = calloc(1, sizeof(*config));
	struct session *s = *state;

	config_init(config);
	s->config = config;
	assert_ok(config_add_target(config, "/dev/swap"));
	be(&s->location, LOCATION_SWAP, "/dev/swap");
	assert_err(session_next_target(s), ERR_NOSPACE);
	assert_string_equal(did, "");
	assert_ok(config_add_target(config, "/img"));
	assert_ok(session_reserve(s));
	did[0] = '\0';
	be(&machine.next, LOCATION_DEVICE, machine.disk.path);
	assert_ok(session_next_target(s));
	/* The slots are given back before anything of the next is reserved. */
	assert_string_equal(did, "xds");
	assert_int_equal(machine.from, 1);
	assert_int_equal(s->candidate, 1);
	assert_int_equal(s->worst, 3 * MIB);
	assert_string_equal(s->location.name, machine.disk.path);
	assert_int_equal(s->target.bytes, DISK_BYTES);
	assert_err(session_next_target(s), ERR_NOSPACE); /* that was the last one */
	/* The next does not fit: the error tells, and it is the caller's to stop. */
	s->candidate = 0;
	machine.not_fit = err_new(ERR_REFUSED, "too small");
	did[0] = '\0';
	assert_err(session_next_target(s), ERR_REFUSED);
	assert_string_equal(did, "xx"); /* the old one, and what was looked at */
	assert_int_equal(s->candidate, 0);
	assert_int_equal(s->target.fd, -1);
	free(config);
}

#define TARGET_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TARGET_TEST(test_room),		  TARGET_TEST(test_reserve_swap),
		TARGET_TEST(test_reserve_others), TARGET_TEST(test_volume),
		TARGET_TEST(test_place),	  TARGET_TEST(test_lay),
		TARGET_TEST(test_moved),	  TARGET_TEST(test_next),
	};

	return cmocka_run_group_tests_name("session_target", tests, NULL, NULL);
}
