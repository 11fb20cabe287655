/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "imagewriter/host.h"

#include "base/util.h"
#include "jump/control.h"
#include "jump/loader.h"
#include "jump/trampoline.h"

#include <assert.h>
#include <string.h>

static uint64_t word_at(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

err_t host_read_mailbox(uint64_t mailbox, uint64_t *entry, uint64_t *tsc)
{
	uint64_t page = align_down(mailbox, PAGE_BYTES);
	const uint8_t *box;
	struct devmem m;
	uint8_t *p;
	err_t e;

	TRY(devmem_open(&m, false));
	e = devmem_map(&m, page, PAGE_BYTES, &p);
	if (!e) {
		box = p + (mailbox - page);
		if (word_at(box + MAILBOX_MAGIC_AT) != MAILBOX_MAGIC)
			e = err_new(ERR_CORRUPT, "there is no mailbox at 0x%llx",
				    (unsigned long long)mailbox);
		*entry = word_at(box + MAILBOX_ENTRY_AT);
		*tsc = word_at(box + MAILBOX_TSC_AT);
		devmem_unmap(p, PAGE_BYTES);
	}
	devmem_close(&m);
	return e;
}

static_assert(REPORT_BYTES == HOSTINFO_REPORT_PAGES * PAGE_BYTES, "the report fills its pages");

err_t host_report(struct hostmem *mem, const struct hostinfo *info, const struct report *report)
{
	uint8_t buf[REPORT_BYTES];

	for (unsigned int i = 0; i < HOSTINFO_REPORT_PAGES; i++)
		TRY(hostmem_read(mem, info->report[i], buf + i * PAGE_BYTES, PAGE_BYTES));
	if (!report_matches(buf, info->report_nonce))
		return err_new(ERR_FORMAT, "the host's report pages are not where they should be");
	report_encode(report, info->report_nonce, buf);
	for (unsigned int i = 0; i < HOSTINFO_REPORT_PAGES; i++)
		TRY(hostmem_write(mem, info->report[i], buf + i * PAGE_BYTES, PAGE_BYTES));
	return NULL;
}

err_t host_prepare_jump(uint64_t trampoline, uint64_t entry, const struct range_list *windows,
			const struct watchdog *watchdog)
{
	struct trampoline t;

	trampoline_init(&t, trampoline, entry);
	watchdog_add_steps(watchdog, &t);
	trampoline_wipe(&t, windows);
	watchdog_feed(watchdog);
	return trampoline_load(&t);
}

err_t host_jump(void)
{
	return loader_jump();
}
