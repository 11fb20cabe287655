/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults planted, each found: another bit; only a value that is that bit alone; read as a decimal
 * number; ",nousertaint" taken for a value that is none. */
#include "unit.h"

#include "host/checks/check_kernel.c"
#include "host/checks/finding.c"

const char *freefill_text(uint32_t free_fill)
{
	(void)free_fill;
	return "";
}

static enum finding_level taint_with(const char *cmdline)
{
	static struct preflight p;
	struct finding f = {0};

	strcpy(p.cmdline, cmdline);
	check_kernel_taint(&p, &f);
	return f.level;
}

static void test_taint(void **state)
{
	static const char *const refused[] = {
		"panic_on_taint=200",
		"quiet panic_on_taint=0x200",
		"panic_on_taint=0x2ff,nousertaint ro",
		"panic-on-taint=0x7fffff",
		"panic_on_taint=1 panic_on_taint=0x200",
	};
	static const char *const fine[] = {
		"",
		"quiet",
		"panic_on_taint=0x100",
		"panic_on_taint=512", /* 0x512 */
		"panic_on_taint=0x200x",
		"panic_on_taint=",
		"panic_on_taint=0x200 panic_on_taint=1",
		"-- panic_on_taint=0x200",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		if (taint_with(refused[i]) != FINDING_REFUSE)
			fail_msg("\"%s\" is not refused", refused[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
		if (taint_with(fine[i]) != FINDING_OK)
			fail_msg("\"%s\" is refused", fine[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taint),
	};

	return cmocka_run_group_tests_name("check_kernel", tests, NULL, NULL);
}
