/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planted faults that made it fail: handoff, its bytes, or the archive in memory that is not
 * locked; the archive not wiped; the volume key left out. */
#include "unit.h"

#include "base/util.h"
#include "resume/launch.c"
#include "sample_host.h"

#include <stdio.h>

#define KEY_BYTES 24 /* of each key, which are longer */

static const uint8_t image_key[HANDOFF_KEY_BYTES] = "the image's key, 32 byte";
static struct encrypted_area area;
static unsigned int wiped_locked, wiped_otherwise, loads;

/* Is this memory locked_create's (keys/locked.h)? It is in no core dump, which is said for each
 * mapping (proc(5)); that it is locked is not so with the sanitizer, which leaves mlock out. */
static bool is_locked(const void *p)
{
	unsigned long start, end, at = (unsigned long)p;
	bool here = false, locked = false;
	char line[512];
	FILE *f = fopen("/proc/self/smaps", "re");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = at >= start && at < end;
		else if (here && !strncmp(line, "VmFlags:", 8))
			locked = strstr(line, " dd ") != NULL;
	}
	fclose(f);
	return locked;
}

void explicit_bzero(void *p, size_t n)
{
	static uint8_t was[1 << 20];

	assert_in_range(n, 0, sizeof(was));
	memcpy(was, p, n);
	if (memmem(was, n, image_key, KEY_BYTES))
		*(is_locked(p) ? &wiped_locked : &wiped_otherwise) += 1;
	memset(p, 0, n);
	__asm__ volatile("" : : "r"(p) : "memory");
}

/* Instead of the kernel. */
uint64_t loader_mailbox(struct range main)
{
	return main.start + 0xe00;
}

uint64_t loader_trampoline(struct range main)
{
	return main.start + 0x8000;
}

err_t loader_load(const struct loader_options *o)
{
	loads++;
	assert_true(is_locked(o->handoff));
	assert_non_null(memmem(o->handoff, o->handoff_bytes, image_key, KEY_BYTES));
	assert_non_null(memmem(o->handoff, o->handoff_bytes, area.key, KEY_BYTES));
	return err_new(ERR_REFUSED, "not here");
}

/* The keys are where they must not be swapped out from, until they are wiped there. */
static void test_locked(void **state)
{
	static struct hostinfo info;
	static const struct writer_files writer;
	struct extent whole = {0, 1 << 30};
	struct target t = {
		.extents = &whole, .name = "/dev/vda2", .device_bytes = 1 << 30, .extent_count = 1};
	struct luksimage luks = {.area = &area, .disk_bytes = 1 << 30};
	struct slot slot = {.nonce = {1}};
	struct tsc_sample started = {0};

	(void)state;
	info = sample_host();
	strcpy((char *)area.key, "the volume's key, longer than this");
	strcpy(area.cipher, "aes-xts-plain64");
	area.key_bytes = 64;
	assert_err(launch_load(&t, &luks, &slot, &info, image_key, &writer, "", &started),
		   ERR_REFUSED);
	assert_int_equal(loads, 1);
	assert_int_equal(wiped_otherwise, 0);
	assert_int_equal(wiped_locked, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_locked)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
