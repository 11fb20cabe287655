/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Archives made by cpio, gzip and zstd, as mkinitramfs makes them. Faults planted,
 * each found: padding between archives not skipped; the compressed part not
 * looked at; the initramfs hashed first; the first of two entries counting; a
 * stream that ends too early taken for whole; the cache not asking for ctime, or
 * taking a hash that is cut short; "encrypt = no" not seen; the writer's hash given
 * for the pins'; a configuration that cannot be read taken for good; the pins' targets never
 * taken, or beside a configuration's; a library looked for in one folder only, not found as a
 * symbolic link, or forgotten by the cache, as targets. (Data padding forgotten is not found, and
 * does no harm: zeros between entries are skipped anyway.)
 */
#include "unit.h"

#include "host/checks/initramfs.c"
#include "host/checks/initramfs_cache.c"
#include "host/checks/unpack.c"

#include <stdio.h>

static char dir[] = "/tmp/test_initramfs.XXXXXX";

static void sh(const char *fmt, const char *arg)
{
	char command[1024], script[900];

	snprintf(script, sizeof(script), fmt, arg);
	snprintf(command, sizeof(command), "cd %s && set -e && %s", dir, script);
	assert_int_equal(system(command), 0);
}

#define PACK "cd tree && printf '%%s\\n' %s | cpio -o -H newc --quiet"

/* usr/lib/dormouse/... below tree/, in several archives. */
static int make_files(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	sh("mkdir -p tree/usr/lib/dormouse tree/kernel && cd tree && %s",
	   "printf 0123456789abc >usr/lib/dormouse/writer.vmlinux.lz4 && "
	   "head -c 70001 /dev/zero >usr/lib/dormouse/writer.cpio && "
	   "printf '#!' >usr/lib/dormouse/resume && head -c 300001 /dev/zero >kernel/microcode");
	sh(PACK " >../early", "kernel kernel/microcode");
	sh(PACK " >../whole", "kernel kernel/microcode usr/lib/dormouse/writer.cpio "
			      "usr/lib/dormouse/resume usr/lib/dormouse/writer.vmlinux.lz4");
	sh(PACK " >../dotted", "./usr/lib/dormouse/resume ./usr/lib/dormouse/writer.vmlinux.lz4 "
			       "./usr/lib/dormouse/writer.cpio");
	sh(PACK " >../resume", "usr/lib/dormouse/resume");
	sh(PACK " >../writer", "usr/lib/dormouse/writer.vmlinux.lz4 usr/lib/dormouse/writer.cpio");
	sh("%s", "printf old >tree/usr/lib/dormouse/writer.vmlinux.lz4");
	sh(PACK " >../old", "usr/lib/dormouse/writer.vmlinux.lz4 usr/lib/dormouse/writer.cpio");
	sh("mkdir -p tree/etc/dormouse && cd tree && %s",
	   "printf 'pins' >etc/dormouse/pins && printf 'bin' >usr/lib/dormouse/unlock && "
	   "printf 'encrypt = no\n' >etc/dormouse.conf");
	sh(PACK " >../keys", "etc/dormouse/pins usr/lib/dormouse/unlock");
	sh(PACK " >../clear", "etc/dormouse.conf");
	sh("%s", "printf 'encrypt = no\nencrypt = maybe\n' >tree/etc/dormouse.conf");
	sh(PACK " >../badconf", "etc/dormouse.conf");
	sh("%s", "printf 'target = /dev/a\ntarget = /an image\n' >tree/etc/dormouse.conf; "
		 "printf 'place = head 8192 4096000 - /pinned\n' >tree/etc/dormouse/pins");
	sh(PACK " >../targets", "etc/dormouse.conf");
	sh(PACK " >../pinned", "etc/dormouse/pins");
	sh("mkdir -p tree/usr/lib/a/cryptsetup && cd tree/usr/lib/a && %s",
	   "touch libtss2-rc.so.0.0.0 libtss2-rc.so cryptsetup/libcryptsetup-token-systemd-tpm2.so "
	   "&& ln -s libtss2-esys.so.0.0.0 libtss2-esys.so.0");
	sh(PACK " >../libraries",
	   "usr/lib/a/libtss2-rc.so.0.0.0 usr/lib/a/libtss2-rc.so usr/lib/a/libtss2-esys.so.0 "
	   "usr/lib/a/cryptsetup/libcryptsetup-token-systemd-tpm2.so");
	sh("%s", "head -c 1024 /dev/zero >zeros && gzip -c whole >whole.gz && zstd -q whole && "
		 "zstd -q resume && xz -k --check=crc32 whole");
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	sh("rm -rf %s", dir);
	return 0;
}

/* SHA-256 over kernel, then initramfs, by another program. */
static void wanted_sha(const char *kernel, uint8_t out[32])
{
	char command[512];
	FILE *p;

	snprintf(command, sizeof(command),
		 "(printf %s; cat %s/tree/usr/lib/dormouse/writer.cpio) | sha256sum", kernel, dir);
	p = popen(command, "r");
	assert_non_null(p);
	for (size_t i = 0; i < 32; i++)
		assert_int_equal(fscanf(p, "%2hhx", &out[i]), 1);
	pclose(p);
}

static err_t scan_parts(const char *parts, struct initramfs *found)
{
	char path[64];

	sh("cat %s >test.img", parts);
	snprintf(path, sizeof(path), "%s/test.img", dir);
	memset(found, 0, sizeof(*found));
	return initramfs_scan(path, found);
}

static void test_found(void **state)
{
	static const char *const parts[] = {
		"whole",
		"dotted",
		"early whole",
		"whole.gz",
		"whole.zst",
		"whole.xz",
		"early whole.gz",
		"early zeros whole.zst",
		"resume writer",
		"early zeros resume zeros writer",
		"early resume.zst writer.zst",
		"old whole",
		"old early whole.gz",
	};
	uint8_t sha[32];

	(void)state;
	sh("%s", "zstd -q -f writer");
	wanted_sha("0123456789abc", sha);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct initramfs found;

		assert_ok(scan_parts(parts[i], &found));
		if (!found.resume || !found.writer || memcmp(found.sha256, sha, 32))
			fail_msg("%s: resume %d, writer %d", parts[i], found.resume, found.writer);
	}
}

static void test_missing(void **state)
{
	struct initramfs found;
	uint8_t sha[32];

	(void)state;
	assert_ok(scan_parts("early", &found));
	assert_false(found.resume || found.writer);
	assert_ok(scan_parts("resume", &found));
	assert_true(found.resume && !found.writer);
	assert_ok(scan_parts("writer", &found));
	assert_true(!found.resume && found.writer);
	assert_ok(scan_parts("/dev/null", &found));
	assert_false(found.resume || found.writer);

	wanted_sha("old", sha);
	assert_ok(scan_parts("whole old", &found));
	assert_memory_equal(found.sha256, sha, 32);
}

static void test_keys(void **state)
{
	/* printf pins | sha256sum */
	static const uint8_t pins[] = {0x15, 0x0a};
	struct initramfs found;

	(void)state;
	assert_ok(scan_parts("whole", &found));
	assert_true(found.encrypt && !found.unlock && !found.pins);
	assert_ok(scan_parts("whole keys clear", &found));
	assert_true(!found.encrypt && found.unlock && found.pins);
	assert_memory_equal(found.pins_sha256, pins, sizeof(pins));
	assert_int_equal(found.libraries, 0);
	assert_ok(scan_parts("whole libraries", &found));
	assert_int_equal(found.libraries, 3); /* esys and the plugin */
	assert_ok(scan_parts("badconf", &found));
	assert_true(found.encrypt);
}

static void test_targets(void **state)
{
	struct initramfs found;

	(void)state;
	assert_ok(scan_parts("whole keys", &found)); /* pins that cannot be read are none */
	assert_true(found.config);
	assert_int_equal(found.target_count, 0);
	assert_ok(scan_parts("whole pinned", &found));
	assert_int_equal(found.target_count, 1);
	assert_string_equal(found.targets[0], "/pinned");
	assert_ok(scan_parts("whole pinned targets", &found));
	assert_true(found.config);
	assert_int_equal(found.target_count, 2);
	assert_string_equal(found.targets[0], "/dev/a");
	assert_string_equal(found.targets[1], "/an image");
	assert_ok(scan_parts("whole pinned badconf", &found));
	assert_false(found.config);
	assert_int_equal(found.target_count, 0);
}

/* Every truncation of a small archive is noticed, or leaves something out. */
static void test_truncated(void **state)
{
	struct initramfs found;
	struct stat st;
	char path[64];

	(void)state;
	assert_ok(scan_parts("dotted", &found));
	snprintf(path, sizeof(path), "%s/test.img", dir);
	assert_int_equal(stat(path, &st), 0);
	for (off_t n = st.st_size - 1; n >= 0; n -= n > 2000 && n < 70000 ? 997 : 1) {
		assert_int_equal(truncate(path, n), 0);
		if (!unit_is_err(initramfs_scan(path, &found)) && n < 70000)
			assert_false(found.resume && found.writer);
	}
	assert_true(unit_is_err(scan_parts("early zeros dotted | head -c 303000", &found)));
	assert_true(unit_is_err(scan_parts("whole.gz | head -c 300", &found)));
	assert_true(unit_is_err(scan_parts("whole.zst | head -c 60", &found)));
}

static void test_garbage(void **state)
{
	struct initramfs found;

	(void)state;
	assert_err(scan_parts("/bin/sh", &found), ERR_CORRUPT);
	assert_err(scan_parts("early /bin/sh", &found), ERR_CORRUPT);
	assert_err(initramfs_scan("/nonexistent", &found), ERR_IO);
}

static void test_cache(void **state)
{
	char path[64], cache[64];
	struct initramfs found;
	uint8_t sha[32];

	(void)state;
	snprintf(path, sizeof(path), "%s/test.img", dir);
	snprintf(cache, sizeof(cache), "%s/cache", dir);
	assert_ok(scan_parts("whole", &found));
	assert_ok(initramfs_scan_cached(path, cache, &found));
	assert_true(found.resume && found.writer);

	/* From the cache: same size, times put back, inode kept; only ctime tells. */
	sh("%s", "test -s cache/initramfs-check && sed -i '2s/^1 1/1 0/' cache/initramfs-check");
	assert_ok(initramfs_scan_cached(path, cache, &found));
	assert_true(found.resume && !found.writer);
	sh("%s", "touch -r test.img stamp && touch -r stamp test.img");
	assert_ok(initramfs_scan_cached(path, cache, &found));
	assert_true(found.writer);

	/* All of it goes through the cache. */
	assert_ok(scan_parts("whole keys clear libraries", &found));
	assert_ok(initramfs_scan_cached(path, cache, &found));
	assert_ok(initramfs_scan_cached(path, cache, &found));
	assert_true(!found.encrypt && found.unlock && found.pins && found.libraries == 3);
	assert_int_equal(found.pins_sha256[0], 0x15);
	assert_ok(scan_parts("whole targets", &found));
	assert_ok(initramfs_scan_cached(path, cache, &found));
	assert_ok(initramfs_scan_cached(path, cache, &found));
	assert_true(found.config && found.target_count == 2);
	assert_string_equal(found.targets[1], "/an image");
	sh("%s", "sed -i '$d' cache/initramfs-check"); /* cut short: not believed */
	assert_ok(initramfs_scan_cached(path, cache, &found));
	assert_string_equal(found.targets[1], "/an image");
	assert_ok(scan_parts("whole", &found));
	assert_ok(initramfs_scan_cached(path, cache, &found));

	/* A damaged cache is no error. */
	wanted_sha("0123456789abc", sha);
	sh("%s", "sed -i '2s/.$//' cache/initramfs-check");
	assert_ok(initramfs_scan_cached(path, cache, &found));
	assert_memory_equal(found.sha256, sha, 32);
	sh("%s", "head -c 3000 /dev/zero >cache/initramfs-check");
	assert_ok(initramfs_scan_cached(path, cache, &found));
	assert_true(found.writer);

	/* Another file in its place. */
	assert_ok(scan_parts("early", &found));
	assert_ok(initramfs_scan_cached(path, cache, &found));
	assert_false(found.resume || found.writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),	  cmocka_unit_test(test_missing),
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_cache),	  cmocka_unit_test(test_keys),
		cmocka_unit_test(test_targets),
	};

	return cmocka_run_group_tests_name("initramfs", tests, make_files, remove_files);
}
