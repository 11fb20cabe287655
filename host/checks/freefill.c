/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rule, from Linux 6.12 (mm/mm_init.c: mem_debugging_and_hardening_init();
 * mm/page_poison.c; mm/page_alloc.c: free_pages_prepare(), post_alloc_hook()):
 *
 *   1. anything that keeps its own books about free pages, or that we have not
 *      read (KASAN, KMSAN, debug_pagealloc, PaX and linux-hardened sanitizers):
 *      free pages are saved like all others;
 *   2. CONFIG_PAGE_POISONING and page_poison=on: 0xaa, checked when a page is
 *      handed out; it switches init_on_free off;
 *   3. init_on_free=on, or CONFIG_INIT_ON_FREE_DEFAULT_ON without an option: zero;
 *   4. else nothing. (init_on_alloc clears when a page is handed out.)
 *
 * Options are early_param()s read by kstrtobool(): the last one that it
 * understands counts, others change nothing.
 *
 * Without the kernel's configuration: an option of 1 or 2 that is switched on
 * may or may not be known to this kernel, so free pages are saved; without one
 * they are cleared unless init_on_free=off says that it is of no use. Clearing
 * is never wrong where nothing is expected.
 */
#include "host/checks/freefill.h"

#include "base/util.h"
#include "config/cmdline.h"

#include <ctype.h>
#include <string.h>

/* Kernel source: lib/kstrtox.c, kstrtobool(). Not understood: *out is unchanged. */
static void parse_bool(const char *value, bool *out)
{
	int first = value ? tolower((unsigned char)value[0]) : '\0';
	int second = first ? tolower((unsigned char)value[1]) : '\0';

	if (first == 'y' || first == 't' || first == '1' || (first == 'o' && second == 'n'))
		*out = true;
	else if (first == 'n' || first == 'f' || first == '0' || (first == 'o' && second == 'f'))
		*out = false;
}

struct options {
	bool init_on_free;
	bool page_poison;
	bool debug_pagealloc;
};

static void read_options(const char *cmdline, struct options *o)
{
	char word[CMDLINE_MAX];
	const char *value;

	while (cmdline_next(&cmdline, word, sizeof(word))) {
		if (cmdline_is(word, "init_on_free", &value))
			parse_bool(value, &o->init_on_free);
		else if (cmdline_is(word, "page_poison", &value))
			parse_bool(value, &o->page_poison);
		else if (cmdline_is(word, "debug_pagealloc", &value))
			parse_bool(value, &o->debug_pagealloc);
	}
}

static bool keeps_books(const struct kconfig *kc)
{
	static const char *const names[] = {
		"CONFIG_KASAN",
		"CONFIG_KMSAN",
		"CONFIG_PAX_MEMORY_SANITIZE",
		"CONFIG_PAGE_SANITIZE",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (kconfig_enabled(kc, names[i]))
			return true;
	}
	return false;
}

static enum free_fill decide_unknown(const char *cmdline)
{
	struct options o = {.init_on_free = true};

	read_options(cmdline, &o);
	if (o.page_poison || o.debug_pagealloc)
		return FREE_FILL_SAVE;
	return o.init_on_free ? FREE_FILL_ZERO : FREE_FILL_NONE;
}

enum free_fill freefill_decide(const struct kconfig *kc, const char *cmdline)
{
	struct options o = {0};

	if (!kc->text)
		return decide_unknown(cmdline);
	o.init_on_free = kconfig_enabled(kc, "CONFIG_INIT_ON_FREE_DEFAULT_ON");
	o.debug_pagealloc = kconfig_enabled(kc, "CONFIG_DEBUG_PAGEALLOC_ENABLE_DEFAULT");
	read_options(cmdline, &o);
	if (keeps_books(kc) || (o.debug_pagealloc && kconfig_enabled(kc, "CONFIG_DEBUG_PAGEALLOC")))
		return FREE_FILL_SAVE;
	if (o.page_poison && kconfig_enabled(kc, "CONFIG_PAGE_POISONING"))
		return FREE_FILL_POISON;
	return o.init_on_free ? FREE_FILL_ZERO : FREE_FILL_NONE;
}

const char *freefill_text(enum free_fill fill)
{
	switch (fill) {
	case FREE_FILL_NONE:
		return "free pages may hold anything";
	case FREE_FILL_ZERO:
		return "free pages must be zero (init_on_free)";
	case FREE_FILL_POISON:
		return "free pages must hold the poison 0xaa (page_poison)";
	case FREE_FILL_SAVE:
		break;
	}
	return "free pages are saved like all others (a debug option says so, or none can be read)";
}
