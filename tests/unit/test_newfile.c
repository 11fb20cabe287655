/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planted faults that made it fail: renamed at once, leftover not removed,
 * O_EXCL left out, an existing file replaced without being asked. */
#include "unit.h"

#include "base/newfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[128], partial[160];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/dormouse-test-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/image", dir);
	snprintf(partial, sizeof(partial), "%s.partial", path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	unlink(partial);
	rmdir(partial);
	return rmdir(dir);
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	fputs(text, f);
	fclose(f);
}

static void assert_content(const char *name, const char *text)
{
	char buf[64] = "";
	FILE *f = fopen(name, "r");

	assert_non_null(f);
	assert_true(fread(buf, 1, sizeof(buf) - 1, f) < sizeof(buf));
	fclose(f);
	assert_string_equal(buf, text);
}

static void made(void **state)
{
	struct newfile f;
	struct stat st;

	(void)state;
	put(partial, "left over and longer");
	assert_ok(newfile_create(&f, path, false));
	assert_int_equal(write(f.fd, "new", 3), 3);
	assert_int_equal(access(path, F_OK), -1);
	assert_ok(newfile_commit(&f));
	assert_content(path, "new");
	assert_int_equal(access(partial, F_OK), -1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	newfile_discard(&f);
	assert_content(path, "new");
}

static void discarded(void **state)
{
	struct newfile f;

	(void)state;
	assert_ok(newfile_create(&f, path, false));
	newfile_discard(&f);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(partial, F_OK), -1);
}

static void existing(void **state)
{
	struct newfile f;

	(void)state;
	put(path, "old");
	assert_err(newfile_create(&f, path, false), ERR_REFUSED);
	assert_ok(newfile_create(&f, path, true));
	assert_int_equal(write(f.fd, "new", 3), 3);
	assert_content(path, "old");
	assert_ok(newfile_commit(&f));
	assert_content(path, "new");
	unlink(path);
	assert_ok(newfile_create(&f, path, false));
	put(path, "another's");
	assert_err(newfile_commit(&f), ERR_REFUSED);
	assert_content(path, "another's");
	assert_int_equal(access(partial, F_OK), -1);
}

static void no_files(void **state)
{
	struct newfile f;

	(void)state;
	assert_err(newfile_create(&f, dir, true), ERR_REFUSED);
	assert_err(newfile_create(&f, "/dev/null", true), ERR_REFUSED);
	assert_err(newfile_create(&f, "", true), ERR_INVALID);
	assert_err(newfile_create(&f, "/nowhere/at/all", true), ERR_IO);
	mkdir(partial, 0700);
	assert_err(newfile_create(&f, path, true), ERR_REFUSED);
	rmdir(partial);
	assert_int_equal(symlink("/tmp/dormouse-elsewhere", partial), 0);
	assert_err(newfile_create(&f, path, true), ERR_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(made, setup, teardown),
		cmocka_unit_test_setup_teardown(discarded, setup, teardown),
		cmocka_unit_test_setup_teardown(existing, setup, teardown),
		cmocka_unit_test_setup_teardown(no_files, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
