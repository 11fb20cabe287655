/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planted faults that made it fail: end of file taken for success, max compared
 * with >=, no NUL at the end. */
#include "unit.h"

#include "base/io.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static char path[] = "/tmp/unit-io-XXXXXX";

static int setup(void **state)
{
	(void)state;
	return mkstemp(path) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_and_read(void **state)
{
	int fd = open(path, O_RDWR | O_TRUNC);
	char buf[8] = "";

	(void)state;
	assert_ok(io_pwrite(fd, "hello", 5, 100, "file"));
	assert_ok(io_fsync(fd, "file"));
	assert_ok(io_pread(fd, buf, 5, 100, "file"));
	assert_string_equal(buf, "hello");
	assert_ok(io_pread(fd, buf, 0, 105, "file"));
	assert_ok(io_pread(fd, buf, 2, 99, "file"));
	assert_memory_equal(buf, "\0h", 2);
	assert_err(io_pread(fd, buf, 6, 100, "file"), ERR_IO); /* a byte behind the end */
	assert_err(io_pread(fd, buf, 1, 105, "file"), ERR_IO);
	close(fd);
}

/* The text says what, where and why. */
static void errors(void **state)
{
	int full = open("/dev/full", O_WRONLY), fd = open(path, O_RDONLY), pair[2];
	err_t e;

	(void)state;
	assert_err(io_pwrite(full, "x", 1, 0, "disk"), ERR_NOSPACE);
	close(full);
	e = io_pwrite(fd, "x", 1, 4096, "disk"); /* not opened for writing */
	assert_non_null(e);
	assert_int_equal(err_kind(e), ERR_IO);
	assert_non_null(strstr(err_text(e), "writing disk at byte 4096: "));
	err_free(e);
	close(fd);
	assert_err(io_pread(-1, &fd, 1, 0, "disk"), ERR_IO);
	assert_err(io_fsync(-1, "disk"), ERR_IO);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_err(io_fsync(pair[0], "socket"), ERR_IO);
	close(pair[0]);
	close(pair[1]);
}

static void put_file(size_t n)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	for (size_t i = 0; i < n; i++)
		assert_int_equal(write(fd, "a", 1), 1);
	close(fd);
}

static void whole_files(void **state)
{
	static const size_t sizes[] = {0, 1, 16383, 16384, 16385, 40000};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		char *text = NULL, *kept = (char *)1;
		size_t n = 99;

		put_file(sizes[i]);
		assert_ok(io_read_file(path, sizes[i], &text, &n));
		assert_int_equal(n, sizes[i]);
		assert_int_equal(strlen(text), sizes[i]); /* the NUL is there */
		free(text);
		if (!sizes[i])
			continue;
		assert_err(io_read_file(path, sizes[i] - 1, &kept, &n), ERR_INVALID);
		assert_ptr_equal(kept, (char *)1);
	}
}

static void odd_files(void **state)
{
	char *text;
	size_t n;

	(void)state;
	assert_ok(io_read_file("/proc/self/status", 1 << 20, &text, &n)); /* size 0 by stat */
	assert_true(n > 100 && strlen(text) == n);
	free(text);
	assert_err(io_read_file("/dev/zero", 100000, &text, &n), ERR_INVALID); /* never ends */
	assert_err(io_read_file("/nonexistent", 1, &text, &n), ERR_IO);
	assert_err(io_read_file("/", 1, &text, &n), ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(write_and_read),
		cmocka_unit_test(errors),
		cmocka_unit_test(whole_files),
		cmocka_unit_test(odd_files),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
