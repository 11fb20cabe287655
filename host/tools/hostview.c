/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/tools/hostview.h"

#include "base/util.h"
#include "memory/exchanged.h"
#include "memory/vmcoreinfo.h"

#include <stdlib.h>

size_t hostview_notes_bytes(const struct hostinfo *host)
{
	return min_u64(host->vmcoreinfo_bytes, 2 * VMCOREINFO_MAX);
}

/* The host's memory while its windows' pages are still elsewhere. */
struct view {
	struct exchanged exchanged;
	struct physical raw;
};

static err_t read_host(struct view *v, uint64_t address, uint8_t *buf, size_t n)
{
	while (n) {
		size_t part = min_u64(n, PAGE_BYTES - address % PAGE_BYTES);
		uint64_t where = 0;

		TRY(exchanged_where(&v->exchanged, address, &where));
		TRY(physical_read(&v->raw, where, buf, part));
		address += part;
		buf += part;
		n -= part;
	}
	return NULL;
}

static err_t put_notes(const struct hostinfo *host, struct view *v, struct elfsink *sink)
{
	size_t n = hostview_notes_bytes(host);
	CLEANUP_FREE struct vmcoreinfo *parsed = malloc(sizeof(*parsed));
	CLEANUP_FREE uint8_t *note = malloc(n ? n : 1);

	if (!n)
		return err_new(ERR_FORMAT, "the host had no vmcoreinfo");
	if (!note || !parsed)
		return err_new(ERR_NOMEM, "reading the host's vmcoreinfo");
	TRY(read_host(v, host->vmcoreinfo, note, n));
	TRY(vmcoreinfo_parse(note, n, parsed));
	return elfsink_put_notes(sink, note);
}

/* Pages of the windows go home. None is another's source: sources lie outside. */
static err_t put_windows(const struct hostinfo *host, struct view *v, struct elfsink *sink)
{
	CLEANUP_FREE uint8_t *page = malloc(PAGE_BYTES);

	if (!page)
		return err_new(ERR_NOMEM, "putting the windows back");
	for (size_t i = 0; i < host->windows.count; i++)
		for (uint64_t at = host->windows.r[i].start; at < host->windows.r[i].end;
		     at += PAGE_BYTES) {
			TRY(read_host(v, at, page, PAGE_BYTES));
			TRY(elfsink_put(sink, at, page));
		}
	return NULL;
}

err_t hostview_finish(const struct hostinfo *host, struct elfsink *sink)
{
	struct view v = {.raw = elfsink_physical(sink)};
	err_t e = exchanged_init(&v.exchanged, &host->windows);

	if (!e)
		e = exchanged_find(&v.exchanged, &v.raw, host->jump_entry, &host->memory);
	if (!e)
		e = put_notes(host, &v, sink);
	if (!e)
		e = put_windows(host, &v, sink);
	exchanged_deinit(&v.exchanged);
	return e;
}
