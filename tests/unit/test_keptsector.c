/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: a sector put back over a locator of another image, over an
 * area that was turned on or made anew; the map needed for it; more than the sector
 * changed; a disk of another serial number taken; one of two clones written to; the file
 * removed though nothing was put back, or kept though all is done; a file that is not whole, or has
 * another bit, taken; a sector that is none of a swap header in the clear refused; one for
 * everybody to read.
 */
#include "unit.h"

#include "fakedisks.h"
#include "host/disks/keptsector.c"
#include "image/commit.h"

#define DISK_BYTES (1u << 20)
#define PAGE0	   8192u /* of the swap area, on the disk */
#define PLACE	   (PAGE0 + LOCATED_LOCATOR_AT)

static const uint8_t nonce_a[NONCE_BYTES] = "nonce of image A";
static const uint8_t nonce_b[NONCE_BYTES] = "nonce of image B";

struct fixture {
	struct fakedisks m;
	char folder[128];
	struct keptsector_where where;
	struct keptsector k;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fakedisks_init(&f->m);
	snprintf(f->folder, sizeof(f->folder), "%s/kept", f->m.top);
	f->where = (struct keptsector_where){f->folder, &f->m.where};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fakedisks_deinit(&f->m);
	free(f);
	return 0;
}

static int open_disk(const struct fixture *f, const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->m.dev, name);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	return fd;
}

/* mkswap's, on a disk that is otherwise full of something. */
static void make_area(const struct fixture *f, const char *name)
{
	uint8_t page[PAGE_BYTES];
	int fd = open_disk(f, name);

	memset(page, 'h', sizeof(page));
	for (uint32_t at = 0; at < DISK_BYTES; at += PAGE_BYTES)
		assert_int_equal(pwrite(fd, page, sizeof(page), at), PAGE_BYTES);
	memcpy(page + PAGE_BYTES - 10, "SWAPSPACE2", 10);
	assert_int_equal(pwrite(fd, page, sizeof(page), PAGE0), PAGE_BYTES);
	close(fd);
}

/* An image in it, whose locator could not be taken away; map and slots are written over. */
static void leave_locator(struct fixture *f, const char *name, const char *serial,
			  const uint8_t nonce[NONCE_BYTES])
{
	const struct extent extent = {512 << 10, 128 << 10};
	uint8_t *swapped = malloc(extent.length);
	struct target t;
	struct commit c;
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->m.dev, name);
	assert_ok(located_create(path, &extent, 1, PLACE, nonce, &t));
	assert_ok(commit_begin(&t, &c, nonce, 1));
	assert_ok(commit_valid(&t, &c, &(struct slot){.data_pages = 0}));
	located_keep(&t, &f->k.kept);
	target_close(&t);
	f->k.pin = (struct pin){.kind = PIN_LOCATOR, .byte = PLACE, .disk_bytes = DISK_BYTES};
	strcpy(f->k.pin.target, "/dev/mapper/the swap");
	strcpy(f->k.pin.identity, serial);
	fd = open_disk(f, name);
	memset(swapped, 's', extent.length);
	assert_int_equal(pwrite(fd, swapped, extent.length, (off_t)extent.start),
			 (ssize_t)extent.length);
	close(fd);
	free(swapped);
}

static void read_page0(const struct fixture *f, const char *name, uint8_t page[PAGE_BYTES])
{
	int fd = open_disk(f, name);

	assert_int_equal(pread(fd, page, PAGE_BYTES, PAGE0), PAGE_BYTES);
	close(fd);
}

static void assert_area(const struct fixture *f, const char *name)
{
	uint8_t page[PAGE_BYTES];

	read_page0(f, name, page);
	for (size_t i = 0; i < sizeof(page) - 10; i++)
		assert_int_equal(page[i], 'h');
	assert_memory_equal(page + sizeof(page) - 10, "SWAPSPACE2", 10);
}

/* Files in the folder. */
static unsigned int count_kept(const struct fixture *f)
{
	DIR *dir = opendir(f->folder);
	unsigned int n = 0;
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		n += d->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return n;
}

/* Nothing is put back, and the file stays or goes. */
static void assert_untouched(struct fixture *f, const char *name, unsigned int kept)
{
	uint8_t before[PAGE_BYTES], after[PAGE_BYTES];

	read_page0(f, name, before);
	keptsector_put_back(&f->where);
	read_page0(f, name, after);
	assert_memory_equal(before, after, sizeof(after));
	assert_int_equal(count_kept(f), kept);
}

static void file_of(const struct fixture *f, char path[256])
{
	snprintf(path, 256, "%s/sector-6e6f6e6365206f6620696d6167652041", f->folder);
}

static void test_file(void **state)
{
	struct fixture *f = *state;
	struct keptsector got;
	struct stat st;
	char path[256];

	umask(0);
	fakedisks_add(&f->m, "vda", DISK_BYTES, "");
	make_area(f, "vda");
	leave_locator(f, "vda", "a_serial", nonce_a);
	assert_ok(keptsector_save(&f->where, &f->k));
	assert_ok(keptsector_save(&f->where, &f->k)); /* again, by the next attempt */
	file_of(f, path);
	assert_ok(keptsector_load(path, &got));
	assert_memory_equal(&got, &f->k, sizeof(got));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(f->folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	memset(f->k.pin.identity, 0, sizeof(f->k.pin.identity));
	assert_ok(keptsector_save(&f->where, &f->k));
	assert_ok(keptsector_load(path, &got));
	assert_memory_equal(&got, &f->k, sizeof(got));
	assert_int_equal(count_kept(f), 1);
}

/* Without any of its lines, or with half of one, or another bit, it is none. */
static void test_bad_files(void **state)
{
	struct fixture *f = *state;
	char path[256], text[FILE_MAX], cut[FILE_MAX];
	struct keptsector got;
	size_t n;
	int fd;

	fakedisks_add(&f->m, "vda", DISK_BYTES, "");
	make_area(f, "vda");
	leave_locator(f, "vda", "", nonce_a);
	assert_ok(keptsector_save(&f->where, &f->k));
	file_of(f, path);
	fd = open(path, O_RDONLY);
	n = (size_t)read(fd, text, sizeof(text));
	close(fd);
	for (size_t at = 0; at < n;) {
		size_t length = (size_t)((char *)memchr(text + at, '\n', n - at) - (text + at)) + 1;

		memcpy(cut, text, at);
		memcpy(cut + at, text + at + length, n - at - length);
		assert_ok(newfile_put(path, cut, n - length));
		assert_err(keptsector_load(path, &got), ERR_INVALID);
		assert_ok(newfile_put(path, text, at + length - 2));
		assert_err(keptsector_load(path, &got), ERR_INVALID);
		at += length;
	}
	for (size_t bit = 0; bit < 8 * n; bit += 5) {
		memcpy(cut, text, n);
		cut[bit / 8] ^= (char)(1 << bit % 8);
		assert_ok(newfile_put(path, cut, n));
		assert_err(keptsector_load(path, &got), ERR_INVALID);
	}
	memcpy(cut, text, n);
	memcpy(cut + n, "more = 1\n", 9);
	assert_ok(newfile_put(path, cut, n + 9));
	assert_err(keptsector_load(path, &got), ERR_INVALID);
	assert_untouched(f, "vda", 1);
}

static void test_put_back(void **state)
{
	struct fixture *f = *state;
	struct target t;
	char path[256];

	keptsector_put_back(&f->where); /* there is no folder */
	fakedisks_add(&f->m, "vda", DISK_BYTES, "A 1");
	make_area(f, "vda");
	leave_locator(f, "vda", "A_1", nonce_a);
	snprintf(path, sizeof(path), "%s/vda", f->m.dev);
	assert_err(located_open_locator(path, true, PLACE, &t), ERR_CORRUPT);
	assert_ok(keptsector_save(&f->where, &f->k));
	keptsector_put_back(&f->where);
	assert_area(f, "vda");
	assert_int_equal(count_kept(f), 0);
	assert_err(located_open_locator(path, true, PLACE, &t), ERR_FORMAT);
	/* It was put back by a boot that found the map: the file alone is left. */
	assert_ok(keptsector_save(&f->where, &f->k));
	assert_untouched(f, "vda", 0);
}

/* Beneath dm-crypt it is ciphertext, in which nothing can be recognized. */
static void test_encrypted(void **state)
{
	struct fixture *f = *state;
	uint8_t cipher[LOCATOR_BYTES], page[PAGE_BYTES];
	int fd;

	for (size_t i = 0; i < sizeof(cipher); i++)
		cipher[i] = (uint8_t)(i * 131 + 7);
	fakedisks_add(&f->m, "vda", DISK_BYTES, "A");
	make_area(f, "vda");
	fd = open_disk(f, "vda");
	assert_int_equal(pwrite(fd, cipher, sizeof(cipher), PLACE), LOCATOR_BYTES);
	close(fd);
	leave_locator(f, "vda", "A", nonce_a);
	assert_ok(keptsector_save(&f->where, &f->k));
	keptsector_put_back(&f->where);
	read_page0(f, "vda", page);
	assert_memory_equal(page + LOCATED_LOCATOR_AT, cipher, sizeof(cipher));
	assert_int_equal(count_kept(f), 0);
}

/* The sector is somebody else's by now. */
static void test_not_ours(void **state)
{
	static const uint8_t zeros[LOCATOR_BYTES];
	struct fixture *f = *state;
	struct keptsector older;
	int fd;

	fakedisks_add(&f->m, "vda", DISK_BYTES, "");
	fd = open_disk(f, "vda");
	for (int way = 0; way < 3; way++) {
		make_area(f, "vda");
		leave_locator(f, "vda", "", nonce_a);
		assert_ok(keptsector_save(&f->where, &f->k));
		older = f->k;
		if (way == 0) /* as swapon rewrites the signature */
			assert_int_equal(pwrite(fd, "SWAPSPACE2", 10, PAGE0 + 4086), 10);
		if (way == 1)
			assert_int_equal(pwrite(fd, zeros, sizeof(zeros), PLACE), LOCATOR_BYTES);
		if (way == 2) {
			make_area(f, "vda");
			leave_locator(f, "vda", "", nonce_b);
		}
		assert_untouched(f, "vda", 0);
	}
	/* And both are kept: each is put back for its own. */
	assert_ok(keptsector_save(&f->where, &older));
	assert_ok(keptsector_save(&f->where, &f->k));
	assert_int_equal(count_kept(f), 2);
	keptsector_put_back(&f->where);
	assert_area(f, "vda");
	assert_int_equal(count_kept(f), 0);
	close(fd);
}

static void test_disks(void **state)
{
	struct fixture *f = *state;
	char path[256], gone[256];

	fakedisks_add(&f->m, "vda", DISK_BYTES, "A");
	fakedisks_add(&f->m, "vdb", DISK_BYTES, "B");
	fakedisks_add(&f->m, "vdc", DISK_BYTES, "A");
	make_area(f, "vda");
	make_area(f, "vdb");
	leave_locator(f, "vdb", "A", nonce_a); /* on a disk that is another one */
	assert_ok(keptsector_save(&f->where, &f->k));
	assert_untouched(f, "vdb", 0);
	make_area(f, "vda");
	make_area(f, "vdc");
	leave_locator(f, "vda", "A", nonce_a);
	leave_locator(f, "vdc", "A", nonce_a); /* clones */
	assert_ok(keptsector_save(&f->where, &f->k));
	assert_untouched(f, "vda", 1);
	assert_untouched(f, "vdc", 1);
	/* One of them cannot be looked at: it may have been a clone. */
	make_area(f, "vdc");
	snprintf(path, sizeof(path), "%s/vdc", f->m.dev);
	snprintf(gone, sizeof(gone), "%s/gone", f->m.dev);
	assert_int_equal(rename(path, gone), 0);
	assert_untouched(f, "vda", 1);
	assert_int_equal(rename(gone, path), 0);
	keptsector_put_back(&f->where);
	assert_area(f, "vda");
	assert_area(f, "vdc");
	assert_int_equal(count_kept(f), 0);
	/* The disk is not there, and comes back. */
	leave_locator(f, "vda", "A", nonce_a);
	strcpy(f->k.pin.identity, "C");
	assert_ok(keptsector_save(&f->where, &f->k));
	assert_untouched(f, "vda", 1);
}

#define KEPT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KEPT_TEST(test_file),	  KEPT_TEST(test_bad_files), KEPT_TEST(test_put_back),
		KEPT_TEST(test_not_ours), KEPT_TEST(test_disks),     KEPT_TEST(test_encrypted),
	};

	return cmocka_run_group_tests_name("keptsector", tests, NULL, NULL);
}
