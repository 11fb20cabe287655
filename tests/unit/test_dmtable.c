/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines as kernels print them (STATUSTYPE_TABLE in drivers/md), and tables as the ioctl
 * gives them. Faults planted, each found: the start left out, or the place in the line;
 * CBC, adiantum or XTS with integrity not scrambled; the IV's offset taken for the start;
 * the next stripe begun a sector late, or with a start of its neighbour; a piece that goes
 * on beyond its stripe, or its line; the second line's place counted from the first's; a
 * table that did not fit believed (of one line behind the end only SAN=1 tells); numbers that
 * overflow as bytes.
 */
#include "unit.h"

#include "host/disks/dmtable.c"

#define KEY  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define RING ":64:logon:cryptsetup:5ca1ab1e-0d0d-4bad-8bad-c0ffee000001-d0"

static struct dm_piece of(const char *type, const char *params, uint64_t at, uint64_t count)
{
	struct dm_piece p;

	memset(&p, 0xff, sizeof(p)); /* nothing may be left of what was there */
	assert_ok(dmtable_line(type, params, at, count, &p));
	return p;
}

static void refused(const char *type, const char *params)
{
	struct dm_piece p;

	assert_err(dmtable_line(type, params, 0, 8, &p), ERR_REFUSED);
}

static void expect(struct dm_piece p, unsigned int major, unsigned int minor, uint64_t sector,
		   uint64_t count)
{
	assert_true(p.dev == makedev(major, minor));
	assert_int_equal(p.sector, sector);
	assert_int_equal(p.count, count);
	assert_false(p.nowhere || p.all_paths);
}

static void test_linear(void **state)
{
	struct dm_piece p = of("linear", "254:17 2048", 0, 100);

	(void)state;
	expect(p, 254, 17, 2048, 100);
	assert_false(p.encrypted || p.scrambled);
	expect(of("linear", "259:1048575 0", 7, 1), 259, 1048575, 7, 1);
	expect(of("linear", "8:1 18446744073709550", 5, 3), 8, 1, 18446744073709555, 3);
	refused("linear", "");
	refused("linear", "254:17");
	refused("linear", "254 17 2048");
	refused("linear", "/dev/sda 2048");
}

static void test_crypt(void **state)
{
	/* Offsets of the IV and the device, and all that can stand behind. */
	static const char *const good[] = {
		"aes-xts-plain64 " KEY " 7 8:2 32768",
		"aes-xts-plain64 " RING " 7 8:2 32768 1 allow_discards",
		"capi:xts(aes)-plain64 " KEY " 7 8:2 32768 2 sector_size:4096 iv_large_sectors",
		"aes:64-xts-plain64 " KEY " 7 8:2 32768",
		"serpent-xts-plain64 - 7 8:2 32768 5 allow_discards same_cpu_crypt "
		"submit_from_crypt_cpus no_read_workqueue no_write_workqueue",
	};
	static const char *const scrambled[] = {
		"aes-cbc-essiv:sha256 " KEY " 7 8:2 32768",
		"aes-lrw-benbi " KEY " 7 8:2 32768",
		"xchacha12,aes-adiantum-plain64 " KEY " 7 8:2 32768 1 sector_size:4096",
		"aes-xts-random " RING " 7 8:2 32768 1 integrity:44:aead",
		"capi:authenc(hmac(sha256),xts(aes))-random " RING " 7 8:2 32768 3 allow_discards "
		"integrity:48:aead integrity_key_size:32",
		"capi:gcm(aes)-random " RING " 7 8:2 32768 1 integrity:28:aead",
		"cipher_null-ecb - 7 8:2 32768",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct dm_piece p = of("crypt", good[i], 16, 100);

		expect(p, 8, 2, 32768 + 16, 100);
		assert_true(p.encrypted && !p.scrambled);
	}
	for (size_t i = 0; i < ARRAY_LEN(scrambled); i++) {
		struct dm_piece p = of("crypt", scrambled[i], 16, 100);

		expect(p, 8, 2, 32768 + 16, 100);
		assert_true(p.encrypted && p.scrambled);
	}
	refused("crypt", "aes-xts-plain64");
	refused("crypt", "aes-xts-plain64 " KEY " 7 8:2");
	refused("crypt", "aes-xts-plain64 " KEY " 8:2 32768");
	refused("crypt", "aes-xts-plain64 " KEY " 7 /dev/sda 32768");
}

static void test_striped(void **state)
{
	static const char two[] = "2 16 8:1 1000 8:17 5000";

	(void)state;
	expect(of("striped", two, 0, 100), 8, 1, 1000, 16);
	expect(of("striped", two, 15, 100), 8, 1, 1015, 1);
	expect(of("striped", two, 16, 100), 8, 17, 5000, 16);
	expect(of("striped", two, 31, 100), 8, 17, 5015, 1);
	expect(of("striped", two, 32, 100), 8, 1, 1016, 16);
	expect(of("striped", two, 60, 2), 8, 17, 5000 + 16 + 12, 2);
	expect(of("striped", "3 8 8:1 0 8:2 0 8:3 64", 16, 100), 8, 3, 64, 8);
	expect(of("striped", "1 8 8:1 64", 20, 100), 8, 1, 84, 4);
	refused("striped", "0 16");
	refused("striped", "2 0 8:1 0 8:17 0");
	refused("striped", "2 16");
	refused("striped", "2 16 /dev/sda 0 8:17 0");
}

static void test_others(void **state)
{
	struct dm_piece p = of("multipath", "0 0 1 1 round-robin 0 2 1 8:0 1 8:16 1", 40, 8);

	(void)state;
	assert_true(p.all_paths && !p.nowhere && !p.encrypted && !p.scrambled);
	assert_int_equal(p.sector, 40);
	assert_int_equal(p.count, 8);
	p = of("zero", "", 40, 8);
	assert_true(p.nowhere && !p.all_paths);
	assert_int_equal(p.count, 8);
	assert_true(of("error", "", 40, 8).nowhere);
	refused("thin", "253:2 1");
	refused("snapshot", "8:1 8:2 P 8");
	refused("linear2", "8:1 0");
	refused("", "");
}

/* What does not fit a number of bytes is no place. */
static void test_overflow(void **state)
{
	const uint64_t most = UINT64_MAX / 512;
	struct dm_piece p;

	(void)state;
	p = of("linear", "8:1 0", most - 8, 8);
	assert_int_equal(p.sector, most - 8);
	assert_err(dmtable_line("linear", "8:1 0", most - 8, 9, &p), ERR_REFUSED);
	assert_err(dmtable_line("linear", "8:1 18446744073709551615", 0, 8, &p), ERR_REFUSED);
	assert_err(dmtable_line("linear", "8:1 36028797018963968", 0, 8, &p), ERR_REFUSED);
	assert_err(dmtable_line("crypt", "aes-xts-plain64 - 0 8:1 36028797018963968", 0, 8, &p),
		   ERR_REFUSED);
}

/* A table as the kernel lays it out: each line's parameters behind it, then the next. */
struct made {
	struct table t;
	uint32_t end;
};

static void make(struct made *m)
{
	struct dm_ioctl *io = calloc(1, DM_BYTES);

	assert_non_null(io);
	io->data_start = sizeof(*io);
	m->t = (struct table){io, "dm-1", io->data_start, 0};
	m->end = io->data_start;
}

static void add(struct made *m, uint64_t start, uint64_t length, const char *type,
		const char *params)
{
	struct dm_ioctl *io = m->t.io;
	struct dm_target_spec *spec = (void *)((char *)io + m->end);

	spec->sector_start = start;
	spec->length = length;
	strcpy(spec->target_type, type);
	strcpy((char *)(spec + 1), params);
	m->end += (sizeof(*spec) + strlen(params) + 1 + 7) / 8 * 8;
	spec->next = m->end - io->data_start;
	io->target_count++;
}

static void find_ok(struct made *m, uint64_t at, uint64_t count, struct dm_piece *out)
{
	m->t.at = m->t.io->data_start;
	m->t.line = 0;
	assert_ok(find(&m->t, at, count, out));
}

static void find_refused(struct made *m, uint64_t at)
{
	struct dm_piece p;

	m->t.at = m->t.io->data_start;
	m->t.line = 0;
	assert_err(find(&m->t, at, 8, &p), ERR_REFUSED);
}

static void test_table(void **state)
{
	struct dm_piece p;
	struct made m;

	(void)state;
	make(&m);
	find_refused(&m, 0); /* no table is loaded */
	add(&m, 0, 100, "linear", "8:2 1000");
	add(&m, 100, 50, "crypt", "aes-xts-plain64 " KEY " 0 8:3 4096 1 allow_discards");
	add(&m, 200, 8, "linear", "8:4 1000");
	find_ok(&m, 99, 500, &p);
	expect(p, 8, 2, 1099, 1);
	find_ok(&m, 100, 500, &p);
	expect(p, 8, 3, 4096, 50);
	assert_true(p.encrypted);
	find_ok(&m, 149, 500, &p);
	expect(p, 8, 3, 4145, 1);
	find_refused(&m, 150); /* a hole */
	find_refused(&m, 199);
	find_ok(&m, 203, 2, &p);
	expect(p, 8, 4, 1003, 2);
	find_refused(&m, 208);
	m.t.io->flags = DM_BUFFER_FULL_FLAG;
	find_refused(&m, 0);
	table_close(&m.t);
}

/* A line that would lie behind the end of what the kernel was given room for. */
static void test_too_large(void **state)
{
	struct made m;

	(void)state;
	make(&m);
	add(&m, 0, 100, "linear", "8:2 1000");
	((struct dm_target_spec *)(m.t.io + 1))->next = DM_BYTES - m.t.io->data_start - 8;
	m.t.io->target_count = 2;
	find_refused(&m, 100);
	table_close(&m.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linear),	  cmocka_unit_test(test_crypt),
		cmocka_unit_test(test_striped),	  cmocka_unit_test(test_others),
		cmocka_unit_test(test_overflow),  cmocka_unit_test(test_table),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests_name("dmtable", tests, NULL, NULL);
}
