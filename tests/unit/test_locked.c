/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: memory that cannot be locked given out all the same; not
 * locked; in core dumps; kept by children; not wiped when it is given back.
 */
#include "unit.h"

#include "keys/locked.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* In place of the sanitizer's, which does nothing. */
int mlock(const void *p, size_t n)
{
	return (int)syscall(SYS_mlock, p, n);
}

/* In place of libc's: what is given back has nothing in it any more. */
static const uint8_t *watched;

int munmap(void *p, size_t n)
{
	if (p == watched)
		for (size_t i = 0; i < n; i++)
			assert_int_equal(watched[i], 0);
	watched = p == watched ? NULL : watched;
	return (int)syscall(SYS_munmap, p, n);
}

/* What the kernel says of the mapping at p: the VmFlags of proc(5). */
static void mapping_flags(const void *p, char *out, size_t n)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long long from, to;
	bool here = false;
	char line[512];

	assert_non_null(f);
	*out = '\0';
	while (!*out && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx-%llx ", &from, &to) == 2)
			here = from <= (uintptr_t)p && (uintptr_t)p < to;
		else if (here && !strncmp(line, "VmFlags:", 8))
			snprintf(out, n, "%s", line);
	}
	fclose(f);
}

static void test_locked(void **state)
{
	static const uint8_t zero[5000];
	char flags[512];
	uint8_t *p;
	void *v;

	(void)state;
	assert_ok(locked_create(5000, &v));
	p = v;
	assert_memory_equal(p, zero, 5000);
	mapping_flags(p, flags, sizeof(flags));
	assert_non_null(strstr(flags, " lo")); /* locked */
	assert_non_null(strstr(flags, " dd")); /* in no core dump */
	assert_non_null(strstr(flags, " wf")); /* of no child */
	memset(p, 1, 8192);
	watched = p;
	locked_destroy(p, 5000);
	assert_null(watched);
	locked_destroy(NULL, 5000);
}

/* Memory that cannot be locked is none for a secret. */
static void test_lock_refused(void **state)
{
	static const struct rlimit none = {0, 0};
	pid_t child = fork();
	int status;
	void *v;

	(void)state;
	if (!child) {
		setrlimit(RLIMIT_MEMLOCK, &none);
		if (!geteuid() && setuid(65534)) /* who may lock without limit */
			_exit(2);
		_exit(unit_is_err(locked_create(5000, &v)) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_locked),
		cmocka_unit_test(test_lock_refused),
	};

	return cmocka_run_group_tests_name("locked", tests, NULL, NULL);
}
