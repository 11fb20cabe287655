/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Targets on disks that give an error, or a wrong bit, a few times. Faults planted, each
 * found: what cannot be read once taken for good; looked at without end; a wrong bit in both
 * superblocks, or in one, not looked at again; a locator that was read wrongly taken for none;
 * every boot without an image made slower; damage beside what cannot be read taken for all that
 * there is; a target of an earlier look left open.
 */
#include "unit.h"

#include "base/util.h"
#include "tempfile.h"

#include <dirent.h>
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What reads of a place give: so many errors, then so many wrong bits, then what is there. */
static struct {
	uint64_t at;
	unsigned int errors, wrong;
} places[2];

static unsigned int pauses, finished;

ssize_t pread(int fd, void *buf, size_t n, off_t offset)
{
	ssize_t got = syscall(SYS_pread64, fd, buf, n, offset);

	for (size_t i = 0; i < 2; i++) {
		if (!places[i].at || (uint64_t)offset != places[i].at)
			continue;
		if (places[i].errors) {
			places[i].errors--;
			errno = EIO;
			return -1;
		}
		if (places[i].wrong) {
			places[i].wrong--;
			((uint8_t *)buf)[100] ^= 1;
		}
	}
	return got;
}

static int fake_usleep(unsigned int us)
{
	assert_int_equal(us, 200000);
	pauses++;
	return 0;
}

#define usleep fake_usleep
#include "resume/find.c"

#define TARGET_BYTES (1u << 20)
#define ALWAYS	     1000u

static struct tempfile file;
static struct options o;
static int pinned[8]; /* kinds of errors that looks at a pin give, then -1: opened */
static unsigned int pin_looks;

err_t pinned_open_or_named(const struct disk_where *where, const char *name, const struct pin *pin,
			   struct target *out, char *path)
{
	int kind = pinned[pin_looks++];

	(void)where, (void)name, (void)pin;
	if (kind >= 0)
		return err_new((enum err_kind)kind, "planted");
	strcpy(path, "/dev/vda");
	return target_open(out, file.path, true, false);
}

err_t luksimage_create(const char *target, const struct options *options, struct luksimage **out)
{
	(void)target, (void)options, (void)out;
	return err_new((enum err_kind)pinned[pin_looks++], "planted");
}

void swapfinish(const struct target *t, struct commit *c)
{
	(void)t, (void)c;
	finished++;
}

/* As image_writer_run leaves it. */
static const struct slot whole = {.header = {16384, 100, 0x1234},
				  .directory = {20480, 32, 0x5678},
				  .image_end = 24576,
				  .data_pages = 3,
				  .raw_bytes = 3 * 4096,
				  .stored_bytes = 5000};

static void make_image(void)
{
	const uint8_t nonce[NONCE_BYTES] = "a nonce";
	struct target t;
	struct commit c;

	assert_ok(target_open(&t, file.path, true, false));
	assert_ok(commit_begin(&t, &c, nonce, 1));
	assert_ok(commit_valid(&t, &c, &whole));
	target_close(&t);
}

static int setup(void **state)
{
	(void)state;
	memset(places, 0, sizeof(places));
	memset(&o, 0, sizeof(o));
	memset(pinned, -1, sizeof(pinned));
	pauses = finished = pin_looks = 0;
	tempfile_open(&file, TARGET_BYTES);
	strcpy(o.targets[0], file.path);
	o.target_count = 1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tempfile_close(&file);
	return 0;
}

static unsigned int open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* kind: of the error, or -1; and how often it was waited. */
static void finds(int kind, unsigned int waits)
{
	unsigned int before = open_files();
	struct image image;
	err_t e = find_image(&o, 0, &image);

	if (kind < 0) {
		assert_ok(e);
		assert_int_equal(image.commit.slot.state, SLOT_VALID);
		assert_true(image.commit.twin_good && !image.commit.unreadable);
		target_close(&image.target);
	} else {
		assert_err(e, (enum err_kind)kind);
	}
	assert_int_equal(finished, kind < 0);
	assert_int_equal(pauses, waits);
	assert_int_equal(open_files(), before);
}

static void unreadable(unsigned int a, unsigned int b)
{
	places[0].at = SLOT_A_OFFSET;
	places[0].errors = a;
	places[1].at = SLOT_B_OFFSET;
	places[1].errors = b;
}

static void wrong(unsigned int a, unsigned int b)
{
	places[0].at = SLOT_A_OFFSET;
	places[0].wrong = a;
	places[1].at = SLOT_B_OFFSET;
	places[1].wrong = b;
}

static void test_good(void **state)
{
	(void)state;
	finds(ERR_FORMAT, 0);
	make_image();
	finds(-1, 0);
}

static void test_comes_back(void **state)
{
	(void)state;
	make_image();
	unreadable(5, 5);
	finds(-1, 5);
}

static void test_one_comes_back(void **state)
{
	(void)state;
	make_image();
	unreadable(0, 2);
	finds(-1, 2);
}

static void test_stays_away(void **state)
{
	(void)state;
	make_image();
	unreadable(ALWAYS, ALWAYS);
	finds(ERR_IO, LOOKS - 1);
}

static void test_wrong_once(void **state)
{
	(void)state;
	make_image();
	wrong(1, 1);
	finds(-1, 1);
	pauses = finished = 0;
	wrong(1, 0);
	finds(-1, 1);
	pauses = finished = 0;
	wrong(ALWAYS, ALWAYS);
	finds(ERR_CORRUPT, 1);
}

/* The damaged one may be the older. */
static void test_wrong_and_unreadable(void **state)
{
	(void)state;
	make_image();
	unreadable(ALWAYS, 0);
	places[1].wrong = ALWAYS;
	finds(ERR_IO, LOOKS - 1);
}

static void pin(const int *kinds, size_t n)
{
	o.pins.count = 1;
	strcpy(o.pins.pins[0].target, o.targets[0]);
	o.pins.pins[0].kind = PIN_HEAD;
	memset(pinned, -1, sizeof(pinned));
	memcpy(pinned, kinds, n * sizeof(*kinds));
	pauses = finished = pin_looks = 0;
}

#define PIN(...) pin((const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static void test_pinned(void **state)
{
	(void)state;
	make_image();
	PIN(ERR_IO, ERR_IO);
	finds(-1, 2);
	PIN(ERR_FORMAT);
	finds(-1, 0);
	PIN(ERR_CORRUPT);
	finds(-1, 1);
	PIN(ERR_CORRUPT, ERR_CORRUPT);
	finds(ERR_CORRUPT, 1);
	PIN(ERR_FORMAT, ERR_FORMAT);
	finds(ERR_FORMAT, 0);
	PIN(ERR_REFUSED, ERR_REFUSED, ERR_REFUSED, ERR_REFUSED, ERR_REFUSED, ERR_REFUSED);
	finds(ERR_REFUSED, LOOKS - 1);
	PIN(ERR_INVALID);
	finds(ERR_INVALID, 0);
}

/* Its header has a checksum, so "no image" is sure; opening it takes another program. */
static void test_luks(void **state)
{
	(void)state;
	strcpy(o.targets[0], "luks:/dev/vdb1");
	PIN(ERR_FORMAT);
	finds(ERR_FORMAT, 0);
	assert_int_equal(pin_looks, 1);
	PIN(ERR_CORRUPT, ERR_FORMAT);
	finds(ERR_FORMAT, 1);
	PIN(ERR_IO, ERR_IO, ERR_FORMAT);
	finds(ERR_FORMAT, 2);
}

#define FIND_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIND_TEST(test_good),		FIND_TEST(test_comes_back),
		FIND_TEST(test_one_comes_back), FIND_TEST(test_stays_away),
		FIND_TEST(test_wrong_once),	FIND_TEST(test_wrong_and_unreadable),
		FIND_TEST(test_pinned),		FIND_TEST(test_luks),
	};

	return cmocka_run_group_tests_name("find", tests, NULL, NULL);
}
