/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults planted, each found: init_on_free winning over page_poison; page_poison
 * believed without CONFIG_PAGE_POISONING; the first option counting; an
 * option that is not understood switching off; the default ignored; an unknown
 * configuration taken for one with nothing in it.
 */
#include "unit.h"

#include "host/checks/freefill.c"
#include "host/checks/kconfig.c"
#include "host/checks/unpack.c"

#define NOTHING	 "CONFIG_X86=y\n"
#define POISON	 "CONFIG_PAGE_POISONING=y\n"
#define FREE_ON	 "CONFIG_INIT_ON_FREE_DEFAULT_ON=y\n"
#define DEBUG	 "CONFIG_DEBUG_PAGEALLOC=y\n"
#define DEBUG_ON "CONFIG_DEBUG_PAGEALLOC_ENABLE_DEFAULT=y\n"

static const struct {
	const char *config; /* NULL: not known */
	const char *cmdline;
	enum free_fill fill;
} cases[] = {
	{NOTHING, "quiet", FREE_FILL_NONE},
	{POISON, "quiet", FREE_FILL_NONE},
	{NOTHING, "init_on_alloc=1", FREE_FILL_NONE},
	{NOTHING, "init_on_free=1", FREE_FILL_ZERO},
	{NOTHING, "init_on_free=on", FREE_FILL_ZERO},
	{NOTHING, "init-on-free=Yes", FREE_FILL_ZERO},
	{NOTHING, "init_on_free=1 init_on_free=0", FREE_FILL_NONE},
	{NOTHING, "init_on_free=0 init_on_free=1", FREE_FILL_ZERO},
	{NOTHING, "init_on_free=1 init_on_free=maybe", FREE_FILL_ZERO},
	{NOTHING, "init_on_free=1 init_on_free", FREE_FILL_ZERO},
	{NOTHING, "init_on_free", FREE_FILL_NONE},
	{NOTHING, "init_on_freedom=1", FREE_FILL_NONE},
	{NOTHING, "quiet -- init_on_free=1", FREE_FILL_NONE},
	{FREE_ON, "quiet", FREE_FILL_ZERO},
	{FREE_ON, "init_on_free=off", FREE_FILL_NONE},
	{FREE_ON, "init_on_free=", FREE_FILL_ZERO},
	{POISON, "page_poison=1", FREE_FILL_POISON},
	{POISON, "page_poison=1 init_on_free=1", FREE_FILL_POISON},
	{POISON FREE_ON, "page_poison=on", FREE_FILL_POISON},
	{POISON FREE_ON, "page_poison=off", FREE_FILL_ZERO},
	{NOTHING, "page_poison=1", FREE_FILL_NONE},
	{NOTHING, "page_poison=1 init_on_free=1", FREE_FILL_ZERO},
	{NOTHING, "debug_pagealloc=on", FREE_FILL_NONE},
	{DEBUG, "quiet", FREE_FILL_NONE},
	{DEBUG, "debug_pagealloc=on", FREE_FILL_SAVE},
	{DEBUG DEBUG_ON, "quiet", FREE_FILL_SAVE},
	{DEBUG DEBUG_ON, "debug_pagealloc=off init_on_free=1", FREE_FILL_ZERO},
	{"CONFIG_KASAN=y\n", "init_on_free=1", FREE_FILL_SAVE},
	{"CONFIG_KMSAN=y\n", "", FREE_FILL_SAVE},
	{"CONFIG_PAGE_SANITIZE=y\n", "", FREE_FILL_SAVE},
	{NULL, "quiet", FREE_FILL_ZERO},
	{NULL, "init_on_free=0", FREE_FILL_NONE},
	{NULL, "init_on_free=1", FREE_FILL_ZERO},
	{NULL, "page_poison=1", FREE_FILL_SAVE},
	{NULL, "page_poison=0", FREE_FILL_ZERO},
	{NULL, "debug_pagealloc=on init_on_free=0", FREE_FILL_SAVE},
};

static void test_decide(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kconfig kc = {0};
		enum free_fill fill;

		if (cases[i].config)
			assert_ok(kconfig_from_text(cases[i].config, strlen(cases[i].config), &kc));
		fill = freefill_decide(&kc, cases[i].cmdline);
		if (fill != cases[i].fill)
			fail_msg("%s with \"%s\": %d, wanted %d",
				 cases[i].config ? cases[i].config : "nothing known",
				 cases[i].cmdline, fill, cases[i].fill);
		kconfig_free(&kc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decide),
	};

	return cmocka_run_group_tests_name("freefill", tests, NULL, NULL);
}
