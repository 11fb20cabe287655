/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: a disk of another size or serial number taken; of two
 * disks with the image the first taken; a disk without superblocks taken for one with a
 * file; a superblock that cannot be read taken for none; a partition looked at like a disk;
 * a disk that cannot be read taken for a second one; copies without an image refused, or those
 * of which one has an image not; disks that may be the one not looked at, or beside the one; a
 * head believed on a disk that says it is another, or what is damaged there.
 */
#include "unit.h"

#include "fakedisks.h"
#include "image/located.h"
#include "resume/pinned.c"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#define DISK_BYTES (1u << 20)

/* An image that is being written, in this extent. */
static void put_image(const struct fakedisks *m, const char *name, uint64_t start, uint64_t locator)
{
	const struct extent extent = {start, 128 << 10};
	const uint8_t nonce[NONCE_BYTES] = "0123456789abcde";
	struct target t;
	struct commit c;
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", m->dev, name);
	assert_ok(located_create(path, &extent, 1, locator, nonce, &t));
	assert_ok(commit_begin(&t, &c, nonce, 1));
	if (locator)
		assert_ok(commit_valid(&t, &c, &(struct slot){.data_pages = 0}));
	target_close(&t);
}

/* As image_writer_run leaves it. */
static const struct slot whole = {.header = {16384, 100, 0x1234},
				  .directory = {20480, 32, 0x5678},
				  .image_end = 24576,
				  .data_pages = 3,
				  .raw_bytes = 3 * 4096,
				  .stored_bytes = 5000};

/* The same, VALID. */
static void make_valid(const struct fakedisks *m, const char *name)
{
	struct target t;
	struct commit c;
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", m->dev, name);
	assert_ok(located_open_head(path, true, 256 << 10, &t));
	assert_ok(commit_load(&t, &c));
	assert_ok(commit_valid(&t, &c, &whole));
	target_close(&t);
}

/* In place of libc's: of a disk where nothing can be read at that place. */
static uint64_t unreadable;

ssize_t pread(int fd, void *buf, size_t n, off_t offset)
{
	if (unreadable && (uint64_t)offset == unreadable) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pread64, fd, buf, n, offset);
}

static struct pin head(const char *identity)
{
	struct pin pin = {.kind = PIN_HEAD, .byte = 256 << 10, .disk_bytes = DISK_BYTES};

	strcpy(pin.identity, identity);
	return pin;
}

static void test_head(void **state)
{
	struct pin a = head("A_1"), other = head("B"), none = head("");
	struct target t;
	struct fakedisks m;
	char path[TARGET_NAME_MAX];

	(void)state;
	fakedisks_init(&m);
	assert_false(pinned_is_there(&m.where, &a));
	assert_err(pinned_open(&m.where, &a, &t, path), ERR_INVALID);
	fakedisks_add(&m, "vda", DISK_BYTES, "A 1");
	fakedisks_add(&m, "vdb", 2 * DISK_BYTES, "A 1");
	assert_true(pinned_is_there(&m.where, &a));
	assert_err(pinned_open(&m.where, &a, &t, path), ERR_FORMAT);
	put_image(&m, "vdb", 256 << 10, 0);
	assert_err(pinned_open(&m.where, &a, &t, path), ERR_FORMAT); /* of another size */
	put_image(&m, "vda", 256 << 10, 0);
	assert_ok(pinned_open(&m.where, &a, &t, path));
	assert_non_null(strstr(path, "/dev/vda"));
	assert_int_equal(t.bytes, 128 << 10);
	target_close(&t);
	assert_err(pinned_open(&m.where, &other, &t, path), ERR_INVALID);
	/* Pinned when the kernel did not tell, or another kernel tells. */
	assert_ok(pinned_open(&m.where, &none, &t, path));
	assert_false(pinned_is_there(&m.where, &none));
	target_close(&t);
	fakedisks_deinit(&m);
}

/* The boot's kernel shows no identity where the host's did: such disks may be the one, if it is
 * not there by its identity; and two of them are two too many. */
static void test_unnamed(void **state)
{
	struct pin a = head("A_1");
	struct target t;
	struct fakedisks m;
	char path[TARGET_NAME_MAX];

	(void)state;
	fakedisks_init(&m);
	fakedisks_add(&m, "vda", DISK_BYTES, "");
	fakedisks_add(&m, "vdb", 2 * DISK_BYTES, "");
	put_image(&m, "vdb", 256 << 10, 0);
	assert_err(pinned_open(&m.where, &a, &t, path), ERR_INVALID);
	put_image(&m, "vda", 256 << 10, 0);
	assert_ok(pinned_open(&m.where, &a, &t, path));
	assert_non_null(strstr(path, "/dev/vda"));
	assert_false(pinned_is_there(&m.where, &a)); /* it may appear yet */
	target_close(&t);
	fakedisks_add(&m, "vdc", DISK_BYTES, "");
	put_image(&m, "vdc", 256 << 10, 0);
	make_valid(&m, "vdc");
	assert_err(pinned_open(&m.where, &a, &t, path), ERR_REFUSED);
	fakedisks_add(&m, "vdd", DISK_BYTES, "A 1");
	assert_err(pinned_open(&m.where, &a, &t, path), ERR_FORMAT);
	put_image(&m, "vdd", 256 << 10, 0);
	assert_ok(pinned_open(&m.where, &a, &t, path));
	assert_non_null(strstr(path, "/dev/vdd"));
	target_close(&t);
	fakedisks_deinit(&m);
}

/* Copies of a disk: nobody knows which one counts. */
static void test_two(void **state)
{
	struct pin none = head("");
	struct target t;
	struct fakedisks m;
	char path[TARGET_NAME_MAX], partition[256];

	(void)state;
	fakedisks_init(&m);
	fakedisks_add(&m, "vda", DISK_BYTES, "");
	fakedisks_add(&m, "vdb", DISK_BYTES, "");
	fakedisks_add(&m, "vdc1", DISK_BYTES, "");
	snprintf(partition, sizeof(partition), "%s/vdc1", m.sys);
	fakedisks_text(partition, "partition", "1");
	put_image(&m, "vdb", 256 << 10, 0);
	put_image(&m, "vdc1", 256 << 10, 0);
	assert_ok(pinned_open(&m.where, &none, &t, path));
	assert_non_null(strstr(path, "/dev/vdb"));
	target_close(&t);
	/* It is the same on both: there is no image. */
	put_image(&m, "vda", 256 << 10, 0);
	assert_err(pinned_open(&m.where, &none, &t, path), ERR_FORMAT);
	make_valid(&m, "vda");
	assert_err(pinned_open(&m.where, &none, &t, path), ERR_REFUSED);
	make_valid(&m, "vdb");
	assert_err(pinned_open(&m.where, &none, &t, path), ERR_REFUSED);
	fakedisks_deinit(&m);
}

/* "Nobody knows" is not "there is none": the target is opened, and who asks it is told. */
static void test_unreadable(void **state)
{
	struct pin pin = head("");
	struct target t;
	struct fakedisks m;
	char path[TARGET_NAME_MAX];

	(void)state;
	fakedisks_init(&m);
	fakedisks_add(&m, "vda", DISK_BYTES, "");
	unreadable = pin.byte + SLOT_B_OFFSET;
	assert_ok(pinned_open(&m.where, &pin, &t, path));
	target_close(&t);
	fakedisks_add(&m, "vdb", DISK_BYTES, "");
	assert_err(pinned_open(&m.where, &pin, &t, path), ERR_IO);
	unreadable = 0;
	assert_err(pinned_open(&m.where, &pin, &t, path), ERR_FORMAT);
	fakedisks_deinit(&m);
}

/* What cannot be opened, whatever is in it. */
static void break_disk(const struct fakedisks *m, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", m->dev, name);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
}

/* One that cannot be read there is no second one that has it; alone, it is no "no image". */
static void test_unread(void **state)
{
	struct pin none = head("");
	struct target t;
	struct fakedisks m;
	char path[TARGET_NAME_MAX];

	(void)state;
	fakedisks_init(&m);
	fakedisks_add(&m, "vda", DISK_BYTES, "");
	fakedisks_add(&m, "vdb", DISK_BYTES, "");
	fakedisks_add(&m, "vdc", DISK_BYTES, "");
	break_disk(&m, "vda");
	break_disk(&m, "vdc");
	assert_err(pinned_open(&m.where, &none, &t, path), ERR_IO);
	put_image(&m, "vdb", 256 << 10, 0);
	assert_ok(pinned_open(&m.where, &none, &t, path));
	assert_non_null(strstr(path, "/dev/vdb"));
	target_close(&t);
	fakedisks_deinit(&m);
}

static void test_locator(void **state)
{
	struct pin pin = {
		.kind = PIN_LOCATOR, .byte = 8192 + LOCATED_LOCATOR_AT, .disk_bytes = DISK_BYTES};
	struct target t;
	struct fakedisks m;
	char path[TARGET_NAME_MAX];

	(void)state;
	fakedisks_init(&m);
	fakedisks_add(&m, "vda", DISK_BYTES, "");
	assert_err(pinned_open(&m.where, &pin, &t, path), ERR_FORMAT);
	put_image(&m, "vda", 512 << 10, pin.byte);
	assert_ok(pinned_open(&m.where, &pin, &t, path));
	assert_int_equal(t.locator, pin.byte);
	target_close(&t);
	fakedisks_deinit(&m);
}

/* Another kernel has another name for it. A locator that leads to its own map is enough; what is
 * damaged on such a disk is somebody else's. */
static void test_renamed(void **state)
{
	struct pin pin = {
		.kind = PIN_LOCATOR, .byte = 8192 + LOCATED_LOCATOR_AT, .disk_bytes = DISK_BYTES};
	struct pin at_head = head("nvme.1234");
	struct target t;
	struct fakedisks m;
	char path[TARGET_NAME_MAX];
	int fd;

	(void)state;
	strcpy(pin.identity, "nvme.1234");
	fakedisks_init(&m);
	fakedisks_add(&m, "vda", DISK_BYTES, "eui.5678");
	fakedisks_add(&m, "vdb", DISK_BYTES, "eui.9abc");
	assert_err(pinned_open(&m.where, &pin, &t, path), ERR_INVALID);
	put_image(&m, "vda", 512 << 10, pin.byte);
	put_image(&m, "vdb", 512 << 10, pin.byte);
	assert_err(pinned_open(&m.where, &pin, &t, path), ERR_REFUSED);
	snprintf(path, sizeof(path), "%s/vdb", m.dev);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "x", 1, (512 << 10) + LOCATED_MAP_OFFSET + 60), 1);
	assert_ok(pinned_open(&m.where, &pin, &t, path));
	assert_non_null(strstr(path, "/dev/vda"));
	assert_int_equal(t.locator, pin.byte);
	target_close(&t);
	/* A head is not known by itself. */
	put_image(&m, "vda", 256 << 10, 0);
	assert_err(pinned_open(&m.where, &at_head, &t, path), ERR_INVALID);
	close(fd);
	fakedisks_deinit(&m);
}

/* The area was off, and the image went to the whole of it: the pin leads to no locator, or to no
 * disk any more. */
static void test_named(void **state)
{
	struct pin pin = {
		.kind = PIN_LOCATOR, .byte = 8192 + LOCATED_LOCATOR_AT, .disk_bytes = DISK_BYTES};
	struct pin at_head = head("");
	const uint8_t nonce[NONCE_BYTES] = "0123456789abcde";
	struct target t;
	struct commit c;
	struct fakedisks m;
	char path[TARGET_NAME_MAX], name[256];

	(void)state;
	fakedisks_init(&m);
	fakedisks_add(&m, "vda", DISK_BYTES, "A");
	fakedisks_add(&m, "vda2", DISK_BYTES / 2, ""); /* stands for a partition */
	snprintf(name, sizeof(name), "%s/vda2", m.dev);
	for (int gone = 0; gone < 2; gone++) {
		strcpy(pin.identity, gone ? "" : "A");
		pin.disk_bytes = gone ? 4 * DISK_BYTES : DISK_BYTES; /* before it was cloned */
		assert_int_equal(truncate(name, 0), 0);
		assert_int_equal(truncate(name, DISK_BYTES / 2), 0);
		assert_err(pinned_open_or_named(&m.where, name, &pin, &t, path),
			   gone ? ERR_INVALID : ERR_FORMAT);
		assert_ok(target_open(&t, name, true, false));
		assert_ok(commit_begin(&t, &c, nonce, 1));
		target_close(&t);
		assert_ok(pinned_open_or_named(&m.where, name, &pin, &t, path));
		assert_string_equal(path, "");
		assert_int_equal(t.bytes, DISK_BYTES / 2);
		assert_ok(commit_load(&t, &c));
		target_close(&t);
	}
	/* A file has no name before its filesystem is mounted: only a pin. */
	at_head.disk_bytes = 4 * DISK_BYTES;
	assert_err(pinned_open_or_named(&m.where, name, &at_head, &t, path), ERR_INVALID);
	assert_err(pinned_open_or_named(&m.where, "/dev/none", &pin, &t, path), ERR_INVALID);
	/* The locator comes first. */
	pin.disk_bytes = DISK_BYTES;
	put_image(&m, "vda", 512 << 10, pin.byte);
	assert_ok(pinned_open_or_named(&m.where, name, &pin, &t, path));
	assert_non_null(strstr(path, "/dev/vda"));
	assert_int_equal(t.locator, pin.byte);
	target_close(&t);
	fakedisks_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head),	   cmocka_unit_test(test_two),
		cmocka_unit_test(test_unreadable), cmocka_unit_test(test_unread),
		cmocka_unit_test(test_locator),	   cmocka_unit_test(test_unnamed),
		cmocka_unit_test(test_renamed),	   cmocka_unit_test(test_named),
	};

	return cmocka_run_group_tests_name("pinned", tests, NULL, NULL);
}
