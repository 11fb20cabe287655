/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Planted faults that made it fail: padding of the name left out, a hex digit
 * 'g' accepted, file size in decimal, trailer missing.
 */
#include "unit.h"

#include "formats/cpio.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the archive of one 5-byte file is, character by character. */
static void golden_bytes(void **state)
{
	static const char head[] = "070701"
				   "00000000"
				   "00008180"
				   "00000000"
				   "00000000"
				   "00000001"
				   "00000000"
				   "00000005"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000008"
				   "00000000";
	static const char tail[] = "070701"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000001"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "0000000b"
				   "00000000";
	uint8_t buf[256];

	(void)state;
	memset(buf, 0xee, sizeof(buf));
	assert_int_equal(cpio_file_bytes("handoff", 5), 252);
	cpio_encode_file("handoff", "hello", 5, buf);
	assert_memory_equal(buf, head, 110);
	assert_memory_equal(buf + 110, "handoff\0\0\0", 10);
	assert_memory_equal(buf + 120, "hello\0\0\0", 8);
	assert_memory_equal(buf + 128, tail, 110);
	assert_memory_equal(buf + 238, "TRAILER!!!\0\0\0\0", 14);
	assert_int_equal(buf[252], 0xee);
}

/* Walk an archive as a reader of a stream does. */
static void walk(const char *name, size_t n)
{
	size_t total = cpio_file_bytes(name, n), at;
	uint8_t *data = malloc(n + 1), *buf = malloc(total);
	struct cpio_entry e;

	memset(data, 'd', n + 1);
	cpio_encode_file(name, data, n, buf);
	assert_ok(cpio_decode_header(buf, &e));
	assert_int_equal(e.mode, S_IFREG | 0600);
	assert_int_equal(e.size, n);
	assert_int_equal(e.name_bytes, strlen(name) + 1);
	assert_string_equal((char *)buf + CPIO_HEADER_BYTES, name);
	at = CPIO_HEADER_BYTES + e.name_bytes + cpio_name_padding(&e);
	assert_int_equal(at % 4, 0);
	assert_memory_equal(buf + at, data, n);
	at += n + cpio_data_padding(&e);
	assert_ok(cpio_decode_header(buf + at, &e));
	assert_string_equal((char *)buf + at + CPIO_HEADER_BYTES, "TRAILER!!!");
	assert_int_equal(at + CPIO_HEADER_BYTES + e.name_bytes + cpio_name_padding(&e), total);
	assert_int_equal(total % 4, 0);
	free(data);
	free(buf);
}

static void round_trip(void **state)
{
	char name[10] = "";

	(void)state;
	for (size_t n = 0; n < 9; n++) { /* every padding of name and data */
		for (size_t len = 1; len < 9; len++) {
			memset(name, 'n', len);
			name[len] = '\0';
			walk(name, n);
		}
	}
	walk("big", 100000);
}

/* cpio itself unpacks it. */
static void others_read_it(void **state)
{
	char path[] = "/tmp/unit-cpio-XXXXXX", command[128], text[64] = "";
	size_t n = cpio_file_bytes("handoff", 5);
	uint8_t buf[512];
	FILE *f;
	int fd;

	(void)state;
	cpio_encode_file("handoff", "hello", 5, buf);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, buf, n), n);
	close(fd);
	snprintf(command, sizeof(command), "cpio -i --quiet --to-stdout handoff <%s", path);
	f = popen(command, "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	assert_int_equal(pclose(f), 0);
	assert_string_equal(text, "hello");
	unlink(path);
}

static err_t decode_with(size_t at, char c)
{
	struct cpio_entry e;
	uint8_t buf[256];

	cpio_encode_file("handoff", "hello", 5, buf);
	buf[at] = (uint8_t)c;
	return cpio_decode_header(buf, &e);
}

static void bad_headers(void **state)
{
	struct cpio_entry e;
	uint8_t buf[256];

	(void)state;
	for (size_t at = 0; at < 5; at++)
		assert_err(decode_with(at, 'x'), ERR_FORMAT);
	assert_ok(decode_with(5, '2'));		     /* with checksums */
	assert_err(decode_with(5, '7'), ERR_FORMAT); /* the old ASCII format */
	for (size_t at = 6; at < CPIO_HEADER_BYTES; at++) {
		assert_err(decode_with(at, 'g'), ERR_CORRUPT);
		assert_err(decode_with(at, 'G'), ERR_CORRUPT);
		assert_err(decode_with(at, ' '), ERR_CORRUPT);
		assert_err(decode_with(at, '/'), ERR_CORRUPT);
		assert_err(decode_with(at, ':'), ERR_CORRUPT);
		assert_err(decode_with(at, '\0'), ERR_CORRUPT);
	}
	assert_err(decode_with(101, '0'), ERR_CORRUPT); /* name of 0 bytes */
	assert_err(decode_with(97, '1'), ERR_CORRUPT);	/* of 4104 */
	assert_err(decode_with(94, 'f'), ERR_CORRUPT);

	cpio_encode_file("handoff", "hello", 5, buf);
	memcpy(buf + 54, "FFFFfffc", 8); /* a size of almost 4 GiB, in both cases */
	assert_ok(cpio_decode_header(buf, &e));
	assert_int_equal(e.size, 0xfffffffc);
	assert_int_equal(cpio_data_padding(&e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_bytes),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(others_read_it),
		cmocka_unit_test(bad_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
