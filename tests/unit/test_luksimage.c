/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A LUKS partition in a file, opened by dormouse-unlock as it is built; the person, the disk
 * and the device mapper are made up. Faults planted, each found: a person asked although no
 * image is marked; the disk's bytes mapped on the partition, or the partition's told as the
 * disk's; the mark taken away while the device is mapped, or without being asked to; a key
 * kept after an error; half a page at the end; one name for the mappings of two partitions; what
 * a boot has decided not read, or not written; a library that is missing taken for no image; a
 * header that cannot be read taken for none.
 */
#include "unit.h"

#include "base/io.h"
#include "fingerprint/disk.h"
#include "keys/volume.h"
#include "luksfile.h"
#include "tempfile.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define PART_AT	   (3 * MIB)
#define DISK_BYTES (1024 * MIB)

static struct {
	struct tempfile device;
	char opener[PATH_MAX];
	const char *typed; /* NULL: Enter alone */
	unsigned int asked;
	bool cannot_map, cannot_close, cannot_read;
	char mapped[2][40]; /* names */
	dev_t number, dev;  /* of the partition, which is a file here; and as it was asked about */
	uint64_t start, bytes; /* of what was mapped */
} machine;

static err_t fake_disk_of(dev_t dev, uint64_t *start, uint64_t *disk_bytes)
{
	machine.dev = dev;
	*start = PART_AT;
	*disk_bytes = DISK_BYTES;
	return NULL;
}

static int fake_stat(const char *path, struct stat *st)
{
	int e = lstat(path, st);

	st->st_rdev = machine.number;
	return e;
}

static err_t fake_pread(int fd, void *buf, size_t n, uint64_t at, const char *what)
{
	return machine.cannot_read ? err_new(ERR_IO, "planted") : io_pread(fd, buf, n, at, what);
}

#define io_pread       fake_pread
#define disk_of	       fake_disk_of
#define stat(path, st) fake_stat(path, st)
#include "resume/luksimage.c"
#undef stat

#include "resume/opener.c"

err_t passphrases_try(const struct options *o, const struct opener *want, const char *what,
		      struct passphrase *known, void *out, bool *person)
{
	struct passphrase *p;
	err_t e;

	assert_string_equal(o->opener, machine.opener);
	assert_non_null(strstr(what, machine.device.path));
	machine.asked++;
	*person = true;
	if (!machine.typed)
		return err_new(ERR_ABORTED, "no passphrase was typed");
	assert_ok(passphrase_create(&p));
	p->n = strlen(machine.typed);
	memcpy(p->text, machine.typed, p->n);
	e = opener_run(want, p, out);
	assert_int_equal(known->n, 0);
	memcpy(known->text, p->text, p->n);
	known->n = e ? 0 : p->n;
	passphrase_destroy(p);
	if (!e) /* as of a partition that does not end with a page */
		((struct encrypted_area *)out)->bytes += 512;
	return e;
}

err_t cryptmap_open(const char *name, dev_t disk, const struct encrypted_area *area, char *path,
		    size_t n)
{
	size_t i = *machine.mapped[0] != '\0';

	assert_true(disk == machine.dev);
	assert_string_not_equal(machine.mapped[0], name);
	assert_int_equal(*machine.mapped[i], 0);
	if (machine.cannot_map)
		return err_new(ERR_IO, "no device mapper");
	strcpy(machine.mapped[i], name);
	machine.start = area->start;
	machine.bytes = area->bytes;
	snprintf(path, n, "/dev/dm-7");
	return NULL;
}

err_t cryptmap_close(const char *name)
{
	for (size_t i = 0; i < 2; i++) {
		if (strcmp(machine.mapped[i], name))
			continue;
		if (machine.cannot_close)
			return err_new(ERR_REFUSED, "busy");
		*machine.mapped[i] = '\0';
	}
	return NULL;
}

static int setup(void **state)
{
	uint8_t key[64];

	(void)state;
	memset(&machine, 0, sizeof(machine));
	machine.typed = LUKSFILE_PASS;
	tempfile_open(&machine.device, 0);
	luksfile_format(machine.device.path, CRYPT_LUKS2, key);
	assert_ok(volume_mark(machine.device.path, true));
	/* build/dormouse-unlock, beside the folder of this test */
	assert_true(readlink("/proc/self/exe", machine.opener, sizeof(machine.opener) - 1) > 0);
	*strrchr(machine.opener, '/') = '\0';
	strcpy(strrchr(machine.opener, '/'), "/dormouse-unlock");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tempfile_close(&machine.device);
	return 0;
}

static err_t find_image(struct luksimage **out)
{
	static struct options o;
	char name[CONFIG_TEXT_MAX];

	o.opener = machine.opener;
	snprintf(name, sizeof(name), "luks:%s", machine.device.path);
	return luksimage_create(name, &o, out);
}

static struct luksimage *found(void)
{
	struct luksimage *l = NULL;

	assert_ok(find_image(&l));
	return l;
}

static bool is_marked(void)
{
	bool marked = false;

	assert_ok(volume_marked(machine.device.path, &marked));
	return marked;
}

static void test_opens(void **state)
{
	struct encrypted_area inside;
	char path[LUKSIMAGE_PATH_MAX];
	struct luksimage *l = found();
	bool person = false;

	(void)state;
	assert_int_equal(machine.asked, 0);
	assert_ok(volume_open(machine.device.path, LUKSFILE_PASS, strlen(LUKSFILE_PASS), &inside));
	assert_ok(luksimage_open(l, path, &person));
	assert_true(person);
	assert_int_equal(machine.asked, 1);
	assert_string_equal(path, "/dev/dm-7");
	assert_string_equal(l->device, machine.device.path);
	assert_int_equal(l->disk_bytes, DISK_BYTES);
	/* The mapping is of the partition; the writer will make it of the disk. */
	assert_int_equal(machine.start, inside.start);
	assert_int_equal(machine.bytes, inside.bytes);
	inside.start += PART_AT;
	assert_memory_equal(l->area, &inside, sizeof(inside));
	assert_memory_equal(l->typed->text, LUKSFILE_PASS, strlen(LUKSFILE_PASS));
	luksimage_forget(l);
	assert_null(l->typed);
	luksimage_forget(NULL);
	luksimage_destroy(l, false);
	assert_int_equal(*machine.mapped[0], 0);
	assert_true(is_marked());
}

static void test_unmark(void **state)
{
	char path[LUKSIMAGE_PATH_MAX];
	struct luksimage *l = found();
	bool person;

	(void)state;
	luksimage_destroy(NULL, true);
	assert_ok(luksimage_open(l, path, &person));
	machine.cannot_close = true; /* somebody writes to it yet */
	luksimage_destroy(l, true);
	assert_true(is_marked());
	machine.cannot_close = false;
	l = found();
	assert_ok(luksimage_open(l, path, &person)); /* what was left is closed */
	luksimage_destroy(l, true);
	assert_int_equal(*machine.mapped[0], 0);
	assert_false(is_marked());
}

/* Each has a name of its own; the end of one closes no other. */
static void test_two(void **state)
{
	char path[LUKSIMAGE_PATH_MAX];
	struct luksimage *a = found(), *b = found();
	bool person;

	(void)state;
	machine.number = makedev(254, 3);
	assert_ok(luksimage_open(a, path, &person));
	machine.number = makedev(254, 13);
	assert_ok(luksimage_open(b, path, &person));
	assert_true(*machine.mapped[0] && *machine.mapped[1]);
	luksimage_destroy(b, false);
	assert_true(*machine.mapped[0] && !*machine.mapped[1]);
	luksimage_destroy(found(), false); /* was never open */
	assert_true(*machine.mapped[0]);
	luksimage_destroy(a, false);
	assert_int_equal(*machine.mapped[0], 0);
}

/* Nobody is asked for anything. */
static void test_no_image(void **state)
{
	struct luksimage *l = NULL;

	(void)state;
	assert_ok(volume_mark(machine.device.path, false));
	assert_err(find_image(&l), ERR_FORMAT);
	assert_int_equal(ftruncate(machine.device.fd, 0), 0);
	assert_int_equal(ftruncate(machine.device.fd, LUKSFILE_BYTES), 0);
	assert_err(find_image(&l), ERR_CORRUPT); /* no LUKS: who configured it should know */
	machine.cannot_read = true;		 /* or that is why libcryptsetup sees none */
	assert_err(find_image(&l), ERR_IO);
	unlink(machine.device.path);
	assert_err(find_image(&l), ERR_IO);
	assert_int_equal(machine.asked, 0);
	assert_null(l);
}

/* The image stays, and its mark with it; another try may do. */
static void test_not_opened(void **state)
{
	char path[LUKSIMAGE_PATH_MAX];
	struct luksimage *l = found();
	bool person;

	(void)state;
	machine.typed = "wrong";
	assert_err(luksimage_open(l, path, &person), ERR_AUTH);
	machine.typed = NULL;
	assert_err(luksimage_open(l, path, &person), ERR_ABORTED);
	assert_true(person);
	assert_int_equal(machine.asked, 2);
	assert_null(l->area);
	assert_null(l->typed);
	machine.typed = LUKSFILE_PASS;
	machine.cannot_map = true;
	assert_err(luksimage_open(l, path, &person), ERR_IO);
	assert_null(l->area);
	machine.cannot_map = false;
	assert_ok(luksimage_open(l, path, &person));
	luksimage_destroy(l, false);
	assert_true(is_marked());
}

/* What a boot has decided without opening it. */
static void test_decided(void **state)
{
	char path[LUKSIMAGE_PATH_MAX];
	struct luksimage *l = found(), *none = NULL;
	bool person;

	(void)state;
	assert_false(l->skipped);
	assert_ok(luksimage_skip(l));
	luksimage_destroy(l, false);
	l = found();
	assert_true(l->skipped);
	assert_ok(luksimage_discard(l));
	assert_err(luksimage_open(l, path, &person), ERR_FORMAT);
	luksimage_destroy(l, false);
	assert_err(find_image(&none), ERR_FORMAT);
	assert_true(is_marked()); /* for the host */
	assert_int_equal(machine.asked, 0);
}

/* Nobody knows whether there is an image: that is no reason to go on. */
static void test_no_opener(void **state)
{
	char path[LUKSIMAGE_PATH_MAX];
	struct luksimage *l;
	bool person;

	(void)state;
	strcpy(machine.opener, "/nowhere/at/all");
	l = found();
	assert_err(luksimage_open(l, path, &person), ERR_IO);
	assert_false(person);
	assert_true(unit_is_err(luksimage_discard(l)));
	luksimage_destroy(l, false);
	assert_int_equal(machine.asked, 0);
}

#define LUKSIMAGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LUKSIMAGE_TEST(test_opens),	 LUKSIMAGE_TEST(test_unmark),
		LUKSIMAGE_TEST(test_two),	 LUKSIMAGE_TEST(test_no_image),
		LUKSIMAGE_TEST(test_not_opened), LUKSIMAGE_TEST(test_decided),
		LUKSIMAGE_TEST(test_no_opener),
	};

	return cmocka_run_group_tests_name("luksimage", tests, NULL, NULL);
}
