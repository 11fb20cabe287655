/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "formats/hostinfo.h"

#include "base/bytes.h"
#include "base/util.h"
#include "formats/region.h"
#include "formats/tlv.h"

#include <assert.h>

#define MAGIC	   "DORM-HDR"
#define VERSION	   1u
#define ADDR_LIMIT (1ull << 52) /* x86_64 has 52-bit physical addresses */

/* docs/image-format.md, "Header" */
enum record {
	REC_MEMORY = TLV_CRITICAL | 1,
	REC_WINDOWS = TLV_CRITICAL | 2,
	REC_MAIN_WINDOW = TLV_CRITICAL | 3,
	REC_JUMP_ENTRY = TLV_CRITICAL | 4,
	REC_LEVELS = TLV_CRITICAL | 5,
	REC_WRITER = TLV_CRITICAL | 6,
	REC_FREE_FILL = TLV_CRITICAL | 7,
	REC_DUMP = TLV_CRITICAL | 8,
	REC_DISKS = TLV_CRITICAL | 9,
	REC_PRINTS = TLV_CRITICAL | 10,
	REC_RELEASE = 16,
	REC_HOSTNAME = 17,
	REC_BUILD_ID = 18,
	REC_CPUS = 19,
	REC_VMCOREINFO = 20,
	REC_REPORT = 21,
	REC_WATCHDOG = 22,
};

#define REQUIRED                                                                                   \
	(TLV_SEEN(REC_MEMORY) | TLV_SEEN(REC_LEVELS) | TLV_SEEN(REC_FREE_FILL) |                   \
	 TLV_SEEN(REC_RELEASE))

/* Required of a host, and not to be had of a dump ("Images of dumps"). */
#define HOST_ONLY                                                                                  \
	(TLV_SEEN(REC_WINDOWS) | TLV_SEEN(REC_MAIN_WINDOW) | TLV_SEEN(REC_JUMP_ENTRY) |            \
	 TLV_SEEN(REC_WRITER) | TLV_SEEN(REC_DISKS) | TLV_SEEN(REC_PRINTS))

struct range_disk {
	le64_t start;
	le64_t end;
	le32_t type;
	le32_t reserved;
};

struct vmcoreinfo_disk {
	le64_t address;
	le32_t bytes;
	le32_t reserved;
};

struct report_place_disk {
	le64_t pages[HOSTINFO_REPORT_PAGES];
	uint8_t nonce[HOSTINFO_NONCE_BYTES];
};

static_assert(sizeof(struct range_disk) == 24, "Header: range");
static_assert(offsetof(struct range_disk, type) == 16, "Header: range type");
static_assert(sizeof(struct vmcoreinfo_disk) == 16, "Header: VMCOREINFO");
static_assert(sizeof(struct report_place_disk) == 48, "Header: REPORT");

static struct range_disk range_encode(const struct range *r)
{
	return (struct range_disk){le64_of(r->start), le64_of(r->end), le32_of(r->type),
				   le32_of(0)};
}

static void put_ranges(struct tlv_writer *w, uint32_t tag, const struct range_list *list)
{
	struct range_disk *d = tlv_reserve(w, tag, list->count * sizeof(*d));

	for (size_t i = 0; i < list->count; i++)
		d[i] = range_encode(&list->r[i]);
}

static void put_dump(struct tlv_writer *w, const struct slot_region *notes)
{
	struct region_disk d = region_encode(notes);

	tlv_put(w, REC_DUMP, &d, sizeof(d));
}

static void put_report(struct tlv_writer *w, const struct hostinfo *info)
{
	struct report_place_disk d;

	for (size_t i = 0; i < HOSTINFO_REPORT_PAGES; i++)
		d.pages[i] = le64_of(info->report[i]);
	memcpy(d.nonce, info->report_nonce, sizeof(d.nonce));
	tlv_put(w, REC_REPORT, &d, sizeof(d));
}

/* Where a host is left, and goes on. */
static void put_jump(struct tlv_writer *w, const struct hostinfo *info)
{
	struct range_disk main_window = range_encode(&info->main_window);

	put_ranges(w, REC_WINDOWS, &info->windows);
	tlv_put(w, REC_MAIN_WINDOW, &main_window, sizeof(main_window));
	tlv_put_u64(w, REC_JUMP_ENTRY, info->jump_entry);
}

size_t hostinfo_encode(const struct hostinfo *info, uint8_t *buf)
{
	struct vmcoreinfo_disk vmcoreinfo = {le64_of(info->vmcoreinfo),
					     le32_of(info->vmcoreinfo_bytes), le32_of(0)};
	struct tlv_writer w;

	tlv_begin(&w, buf, HOSTINFO_MAX, MAGIC, VERSION);
	put_ranges(&w, REC_MEMORY, &info->memory);
	if (info->dump)
		put_dump(&w, &info->notes);
	else
		put_jump(&w, info);
	tlv_put_u32(&w, REC_LEVELS, info->la57 ? 5 : 4);
	if (!info->dump) {
		tlv_put(&w, REC_WRITER, info->writer_sha256, sizeof(info->writer_sha256));
		prints_put(&w, REC_DISKS, REC_PRINTS, &info->prints);
	}
	tlv_put_u32(&w, REC_FREE_FILL, info->free_fill);
	tlv_put_string(&w, REC_RELEASE, info->release);
	tlv_put_string(&w, REC_HOSTNAME, info->hostname);
	tlv_put_string(&w, REC_BUILD_ID, info->build_id);
	tlv_put_u32(&w, REC_CPUS, info->cpus);
	if (info->watchdog)
		tlv_put_u32(&w, REC_WATCHDOG, info->watchdog);
	tlv_put(&w, REC_VMCOREINFO, &vmcoreinfo, sizeof(vmcoreinfo));
	if (!info->dump)
		put_report(&w, info);
	return tlv_finish(&w);
}

static bool type_known(uint32_t type)
{
	return (type >= RANGE_RAM && type <= RANGE_UNUSABLE) || type == RANGE_PMEM;
}

static err_t get_range(const struct range_disk *d, struct range *out)
{
	struct range r = {le64_get(d->start), le64_get(d->end), le32_get(d->type)};

	if (r.start >= r.end || r.end > ADDR_LIMIT || le32_get(d->reserved))
		return err_new(ERR_CORRUPT, "header has a bad range at %#llx",
			       (unsigned long long)r.start);
	if (!type_known(r.type))
		return err_new(ERR_UNSUPPORTED, "header has a range of unknown type %u", r.type);
	*out = r;
	return NULL;
}

/* Sorted and apart from each other. */
static err_t get_ranges(const struct tlv *t, struct range_list *out)
{
	const struct range_disk *d = (const struct range_disk *)t->payload;
	size_t count = t->n / sizeof(*d);
	uint64_t last_end = 0;

	if (t->n % sizeof(*d) || count == 0 || count > RANGE_MAX)
		return err_new(ERR_CORRUPT, "header has a list of %u bytes of ranges", t->n);
	for (size_t i = 0; i < count; i++) {
		TRY(get_range(&d[i], &out->r[i]));
		if (out->r[i].start < last_end)
			return err_new(ERR_CORRUPT, "header has ranges out of order at %#llx",
				       (unsigned long long)out->r[i].start);
		last_end = out->r[i].end;
	}
	out->count = count;
	return NULL;
}

static err_t get_main_window(const struct tlv *t, struct hostinfo *info)
{
	struct range_disk d = {0};

	TRY(tlv_get_bytes(t, &d, sizeof(d)));
	return get_range(&d, &info->main_window);
}

static err_t get_levels(const struct tlv *t, struct hostinfo *info)
{
	uint32_t levels = 0;

	TRY(tlv_get_u32(t, &levels));
	if (levels != 4 && levels != 5)
		return err_new(ERR_UNSUPPORTED, "header wants %u levels of paging", levels);
	info->la57 = levels == 5;
	return NULL;
}

static err_t get_free_fill(const struct tlv *t, struct hostinfo *info)
{
	uint32_t fill = 0;

	TRY(tlv_get_u32(t, &fill));
	if (fill > FREE_FILL_SAVE)
		return err_new(ERR_UNSUPPORTED, "header has unknown filling %u of free pages",
			       fill);
	info->free_fill = (enum free_fill)fill;
	return NULL;
}

static err_t get_vmcoreinfo(const struct tlv *t, struct hostinfo *info)
{
	struct vmcoreinfo_disk d = {0};

	TRY(tlv_get_bytes(t, &d, sizeof(d)));
	info->vmcoreinfo = le64_get(d.address);
	info->vmcoreinfo_bytes = le32_get(d.bytes);
	if (info->vmcoreinfo > ADDR_LIMIT - info->vmcoreinfo_bytes || le32_get(d.reserved))
		return err_new(ERR_CORRUPT, "header has a bad place of vmcoreinfo");
	return NULL;
}

static err_t get_report(const struct tlv *t, struct hostinfo *info)
{
	struct report_place_disk d = {0};

	TRY(tlv_get_bytes(t, &d, sizeof(d)));
	for (size_t i = 0; i < HOSTINFO_REPORT_PAGES; i++)
		info->report[i] = le64_get(d.pages[i]);
	memcpy(info->report_nonce, d.nonce, sizeof(d.nonce));
	return NULL;
}

static err_t get_dump(const struct tlv *t, struct hostinfo *info)
{
	struct slot_region *r = &info->notes;
	struct region_disk d = {0};

	TRY(tlv_get_bytes(t, &d, sizeof(d)));
	*r = region_decode(&d);
	info->dump = true;
	if (r->length ? r->offset % PAGE_BYTES || r->offset < SLOT_DATA_START ||
				r->offset >= INT64_MAX || r->length > HOSTINFO_NOTES_MAX
		      : r->offset || r->crc32c)
		return err_new(ERR_CORRUPT, "header has a bad place of the dump's notes");
	return NULL;
}

/* One record into info; *known = false for those that this version has not. */
static err_t take_record(const struct tlv *t, void *ctx, bool *known)
{
	struct hostinfo *info = ctx;

	*known = true;
	switch (t->tag) {
	case REC_MEMORY:
		return get_ranges(t, &info->memory);
	case REC_WINDOWS:
		return get_ranges(t, &info->windows);
	case REC_MAIN_WINDOW:
		return get_main_window(t, info);
	case REC_JUMP_ENTRY:
		return tlv_get_u64(t, &info->jump_entry);
	case REC_LEVELS:
		return get_levels(t, info);
	case REC_WRITER:
		return tlv_get_bytes(t, info->writer_sha256, sizeof(info->writer_sha256));
	case REC_FREE_FILL:
		return get_free_fill(t, info);
	case REC_DUMP:
		return get_dump(t, info);
	case REC_DISKS:
		return prints_get_disks(t, &info->prints);
	case REC_PRINTS:
		return prints_get(t, &info->prints);
	case REC_RELEASE:
		return tlv_get_string(t, info->release, sizeof(info->release));
	case REC_HOSTNAME:
		return tlv_get_string(t, info->hostname, sizeof(info->hostname));
	case REC_BUILD_ID:
		return tlv_get_string(t, info->build_id, sizeof(info->build_id));
	case REC_WATCHDOG:
		return tlv_get_u32(t, &info->watchdog);
	case REC_CPUS:
		return tlv_get_u32(t, &info->cpus);
	case REC_VMCOREINFO:
		return get_vmcoreinfo(t, info);
	case REC_REPORT:
		return get_report(t, info);
	}
	*known = false;
	return NULL;
}

/* Whole pages of RAM? */
static bool is_ram(const struct hostinfo *info, uint64_t start, uint64_t end)
{
	const struct range *r = range_holding(&info->memory, start, end);

	return r && r->type == RANGE_RAM && start % PAGE_BYTES == 0 && end % PAGE_BYTES == 0;
}

/* A page that the host keeps, so that neither window may hold it. */
static bool is_hosts_page(const struct hostinfo *info, uint64_t page)
{
	return is_ram(info, page, page + PAGE_BYTES) &&
	       !range_overlaps(&info->windows, page, page + PAGE_BYTES);
}

static err_t check_windows(const struct hostinfo *info)
{
	const struct range *main = &info->main_window;
	bool found = false;

	for (size_t i = 0; i < info->windows.count; i++) {
		const struct range *w = &info->windows.r[i];

		if (w->type != RANGE_RAM || !is_ram(info, w->start, w->end))
			return err_new(ERR_CORRUPT, "header has a window at %#llx that is no RAM",
				       (unsigned long long)w->start);
		found |= w->start == main->start && w->end == main->end && w->type == main->type;
	}
	if (!found)
		return err_new(ERR_CORRUPT, "header has a main window that is none of the windows");
	return NULL;
}

/* Addresses that a writer would jump to or write to. */
static err_t check_addresses(const struct hostinfo *info)
{
	uint64_t entry = info->jump_entry;
	bool any = false, all = true;

	if (entry && (entry >= ADDR_LIMIT || !is_hosts_page(info, align_down(entry, PAGE_BYTES))))
		return err_new(ERR_CORRUPT, "header has a jump-back entry outside of the host");
	for (size_t i = 0; i < HOSTINFO_REPORT_PAGES; i++) {
		uint64_t page = info->report[i];

		any |= page != 0;
		/* It may lie in a window: the host's page is then found elsewhere. */
		all &= page && page < ADDR_LIMIT && is_ram(info, page, page + PAGE_BYTES);
	}
	if (any && !all)
		return err_new(ERR_CORRUPT, "header has a report outside of the host's memory");
	return NULL;
}

static err_t check_dump(const struct hostinfo *info, uint64_t seen)
{
	if (seen & (HOST_ONLY | TLV_SEEN(REC_REPORT)))
		return err_new(ERR_CORRUPT, "header is of a dump and has records of a host");
	for (size_t i = 0; i < info->memory.count; i++) {
		const struct range *r = &info->memory.r[i];

		if (!is_ram(info, r->start, r->end))
			return err_new(ERR_CORRUPT, "header has no whole pages of RAM at %#llx",
				       (unsigned long long)r->start);
	}
	return NULL;
}

err_t hostinfo_decode(const uint8_t *buf, size_t n, struct hostinfo *out)
{
	struct hostinfo info = {0};
	struct tlv_reader r;
	uint64_t seen;

	if (n > HOSTINFO_MAX)
		return err_new(ERR_CORRUPT, "header has %zu bytes", n);
	TRY(tlv_open(&r, buf, n, MAGIC, VERSION, "header"));
	TRY(tlv_each(&r, take_record, &info, &seen));
	if ((seen & REQUIRED) != REQUIRED)
		return err_new(ERR_CORRUPT, "header lacks a required record");
	if (info.dump) {
		TRY(check_dump(&info, seen));
	} else {
		if ((seen & HOST_ONLY) != HOST_ONLY)
			return err_new(ERR_CORRUPT, "header lacks a required record");
		TRY(check_windows(&info));
		TRY(check_addresses(&info));
		TRY(prints_check(&info.prints));
	}
	*out = info;
	return NULL;
}
