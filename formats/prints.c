/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "formats/prints.h"

#include "base/bytes.h"

#include <assert.h>

#define SECTOR 512u

/* docs/image-format.md, "Fingerprints" */
struct print_disk_disk {
	le64_t bytes;
	char identity[PRINT_IDENTITY_MAX];
};

struct print_on_disk {
	le32_t disk;
	le32_t kind;
	le64_t offset;
	le64_t length;
	le32_t mark_at;
	le32_t reserved;
	uint8_t mark[PRINT_MARK_BYTES];
	uint8_t digest[PRINT_DIGEST_BYTES];
	char name[PRINT_NAME_MAX];
};

static_assert(sizeof(struct print_disk_disk) == 64, "Fingerprints: disk");
static_assert(sizeof(struct print_on_disk) == 160, "Fingerprints: print");
static_assert(offsetof(struct print_on_disk, mark_at) == 24, "Fingerprints: mark_at");
static_assert(offsetof(struct print_on_disk, mark) == 32, "Fingerprints: mark");
static_assert(offsetof(struct print_on_disk, digest) == 48, "Fingerprints: digest");
static_assert(offsetof(struct print_on_disk, name) == 80, "Fingerprints: name");

const char *print_kind_name(enum print_kind kind)
{
	switch (kind) {
	case PRINT_SUPERBLOCK:
		return "superblock";
	case PRINT_JOURNAL:
		return "journal superblock";
	case PRINT_LOG:
	case PRINT_WANTED:
		return "log";
	case PRINT_RAID:
		return "RAID superblock";
	case PRINT_START:
		break;
	}
	return "beginning";
}

/* By disk, then by place. */
static int compare(const struct print *a, const struct print *b)
{
	if (a->disk != b->disk)
		return a->disk < b->disk ? -1 : 1;
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return a->length < b->length ? -1 : a->length > b->length;
}

err_t prints_add(struct prints *prints, const struct print *print)
{
	uint32_t i = prints->count;

	while (i && compare(&prints->p[i - 1], print) > 0)
		i--;
	if (i && !compare(&prints->p[i - 1], print))
		return NULL;
	if (prints->count == PRINTS_MAX)
		return err_new(ERR_REFUSED, "more than %u places of filesystems to watch",
			       PRINTS_MAX);
	memmove(&prints->p[i + 1], &prints->p[i], (prints->count - i) * sizeof(prints->p[0]));
	prints->p[i] = *print;
	prints->count++;
	return NULL;
}

bool prints_complete(const struct prints *prints)
{
	for (uint32_t i = 0; i < prints->count; i++) {
		if (prints->p[i].kind == PRINT_WANTED)
			return false;
	}
	return true;
}

/* Room is zero already; at least one NUL stays. */
static void put_text(char *room, size_t size, const char *text)
{
	size_t n = strnlen(text, size - 1);

	memcpy(room, text, n);
}

void prints_put(struct tlv_writer *w, uint32_t disks_tag, uint32_t prints_tag,
		const struct prints *prints)
{
	struct print_disk_disk *disks;
	struct print_on_disk *d;

	disks = tlv_reserve(w, disks_tag, prints->disk_count * sizeof(*disks));
	for (uint32_t i = 0; i < prints->disk_count; i++) {
		disks[i].bytes = le64_of(prints->disks[i].bytes);
		put_text(disks[i].identity, PRINT_IDENTITY_MAX, prints->disks[i].identity);
	}
	d = tlv_reserve(w, prints_tag, prints->count * sizeof(*d));
	for (uint32_t i = 0; i < prints->count; i++) {
		const struct print *p = &prints->p[i];

		d[i].disk = le32_of(p->disk);
		d[i].kind = le32_of(p->kind);
		d[i].offset = le64_of(p->offset);
		d[i].length = le64_of(p->length);
		d[i].mark_at = le32_of(p->mark_at);
		memcpy(d[i].mark, p->mark, PRINT_MARK_BYTES);
		memcpy(d[i].digest, p->digest, PRINT_DIGEST_BYTES);
		put_text(d[i].name, PRINT_NAME_MAX, p->name);
	}
}

/* A string that ends with a NUL, and nothing but NULs behind it. */
static err_t get_text(const char *d, size_t size, char *out)
{
	size_t n = strnlen(d, size);

	for (size_t i = n; i < size; i++) {
		if (d[i])
			n = size;
	}
	if (n == size)
		return err_new(ERR_CORRUPT, "header has a bad string in a fingerprint");
	memcpy(out, d, size);
	return NULL;
}

err_t prints_get_disks(const struct tlv *t, struct prints *out)
{
	const struct print_disk_disk *d = (const struct print_disk_disk *)t->payload;
	size_t count = t->n / sizeof(*d);

	if (t->n % sizeof(*d) || count > PRINTS_DISKS_MAX)
		return err_new(ERR_CORRUPT, "header has a list of %u bytes of disks", t->n);
	for (size_t i = 0; i < count; i++) {
		uint64_t bytes = le64_get(d[i].bytes);

		if (!bytes || bytes > INT64_MAX || bytes % SECTOR)
			return err_new(ERR_CORRUPT, "header has a disk of impossible size");
		out->disks[i].bytes = bytes;
		TRY(get_text(d[i].identity, PRINT_IDENTITY_MAX, out->disks[i].identity));
	}
	out->disk_count = (uint32_t)count;
	return NULL;
}

static bool kind_known(uint32_t kind)
{
	return (kind >= PRINT_SUPERBLOCK && kind <= PRINT_START) || kind == PRINT_WANTED;
}

static err_t get_print(const struct print_on_disk *d, struct print *out)
{
	if (!kind_known(le32_get(d->kind)))
		return err_new(ERR_UNSUPPORTED, "header has a fingerprint of unknown kind %u",
			       le32_get(d->kind));
	if (le32_get(d->reserved))
		return err_new(ERR_CORRUPT, "header has a bad fingerprint");
	out->disk = le32_get(d->disk);
	out->kind = (enum print_kind)le32_get(d->kind);
	out->offset = le64_get(d->offset);
	out->length = le64_get(d->length);
	out->mark_at = le32_get(d->mark_at);
	memcpy(out->mark, d->mark, PRINT_MARK_BYTES);
	memcpy(out->digest, d->digest, PRINT_DIGEST_BYTES);
	return get_text(d->name, PRINT_NAME_MAX, out->name);
}

err_t prints_get(const struct tlv *t, struct prints *out)
{
	const struct print_on_disk *d = (const struct print_on_disk *)t->payload;
	size_t count = t->n / sizeof(*d);

	if (t->n % sizeof(*d) || count > PRINTS_MAX)
		return err_new(ERR_CORRUPT, "header has a list of %u bytes of fingerprints", t->n);
	for (size_t i = 0; i < count; i++)
		TRY(get_print(&d[i], &out->p[i]));
	out->count = (uint32_t)count;
	return NULL;
}

static bool mark_fits(const struct print *p)
{
	return p->mark_at == PRINT_NO_MARK ||
	       (p->length >= PRINT_MARK_BYTES && p->mark_at <= p->length - PRINT_MARK_BYTES);
}

err_t prints_check(const struct prints *prints)
{
	for (uint32_t i = 0; i < prints->count; i++) {
		const struct print *p = &prints->p[i];
		uint64_t bytes;

		if (p->disk >= prints->disk_count)
			return err_new(ERR_CORRUPT, "header has a fingerprint of no disk");
		bytes = prints->disks[p->disk].bytes;
		if (!p->length || p->length % SECTOR || p->offset % SECTOR ||
		    p->length > PRINTS_LENGTH_MAX || p->length > bytes ||
		    p->offset > bytes - p->length || !mark_fits(p))
			return err_new(ERR_CORRUPT, "header has a fingerprint at a bad place");
		if (i && compare(p - 1, p) >= 0)
			return err_new(ERR_CORRUPT, "header has fingerprints out of order");
	}
	return NULL;
}
