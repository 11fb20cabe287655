/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fingerprint/fingerprint.h"

#include "base/text.h"
#include "base/util.h"
#include "fingerprint/sha256.h"
#include "fingerprint/xfslog.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define POLL_MS	  50
#define LOG_BYTES (64u << 10) /* of a log, from its head on */

/* A disk that is open, and room to read into. */
struct reading {
	struct disk disk;
	uint8_t *room;
	int fd;
};

static err_t reading_open(struct reading *r, const struct disk_where *where, const struct disk *d)
{
	err_t e;

	r->disk = *d;
	r->room = disk_room();
	if (!r->room)
		return err_new(ERR_NOMEM, "reading fingerprints");
	e = disk_open(where, d, &r->fd);
	if (e)
		free(r->room);
	return e;
}

static void reading_close(struct reading *r)
{
	close(r->fd);
	free(r->room);
}

static err_t digest(const struct reading *r, const struct print *p, uint8_t out[PRINT_DIGEST_BYTES])
{
	struct sha256 sha;

	sha256_init(&sha);
	for (uint64_t done = 0; done < p->length;) {
		size_t n = (size_t)min_u64(p->length - done, DISK_PIECE_MAX);
		const uint8_t *bytes;

		TRY(disk_read(r->fd, &r->disk, r->room, p->offset + done, n, &bytes));
		sha256_update(&sha, bytes, n);
		done += n;
	}
	sha256_final(&sha, out);
	return NULL;
}

static err_t mark_matches(const struct reading *r, const struct print *p, bool *yes)
{
	uint64_t at = p->offset + p->mark_at, from = align_down(at, 512);
	const uint8_t *bytes;

	TRY(disk_read(r->fd, &r->disk, r->room, from, 1024, &bytes));
	*yes = !memcmp(bytes + (at - from), p->mark, PRINT_MARK_BYTES);
	return NULL;
}

/* Do its marks say that it is disk number n? */
static err_t marks_match(const struct reading *r, const struct prints *prints, uint32_t n,
			 bool *yes)
{
	*yes = true;
	for (uint32_t i = 0; *yes && i < prints->count; i++) {
		const struct print *p = &prints->p[i];

		if (p->disk == n && p->mark_at != PRINT_NO_MARK)
			TRY(mark_matches(r, p, yes));
	}
	return NULL;
}

static bool may_be(const struct print_disk *wanted, const struct disk *d)
{
	return wanted->bytes == d->bytes &&
	       (!*wanted->identity || !*d->identity || !strcmp(wanted->identity, d->identity));
}

/* What is done with each disk that may be number n; its marks match. */
typedef err_t (*each_fn)(const struct reading *r, uint32_t n, void *ctx);

static err_t try_disk(const struct disk_where *where, const struct prints *prints, uint32_t n,
		      const struct disk *d, each_fn each, void *ctx, size_t *found)
{
	struct reading r;
	bool yes;
	err_t e;

	if (!may_be(&prints->disks[n], d))
		return NULL;
	TRY(reading_open(&r, where, d));
	e = marks_match(&r, prints, n, &yes);
	if (!e && yes) {
		(*found)++;
		e = each(&r, n, ctx);
	}
	reading_close(&r);
	return e;
}

/* The first filesystem that has something on disk number n. */
static const struct print *first_on(const struct prints *prints, uint32_t n)
{
	for (uint32_t i = 0; i < prints->count; i++) {
		if (prints->p[i].disk == n)
			return &prints->p[i];
	}
	return NULL;
}

static err_t look_for(const struct disk_where *where, const struct prints *prints, uint32_t n,
		      each_fn each, void *ctx, size_t *found)
{
	struct disk *disks = NULL;
	size_t count = 0;
	err_t e;

	*found = 0;
	TRY(disk_scan(where, &disks, &count));
	e = NULL;
	for (size_t i = 0; !e && i < count; i++)
		e = try_disk(where, prints, n, &disks[i], each, ctx, found);
	free(disks);
	return e;
}

/* Each disk that may be number n; waits for one. What cannot be read may be
 * about to come up, too. */
static err_t each_disk(const struct disk_where *where, unsigned int wait_ms,
		       const struct prints *prints, uint32_t n, each_fn each, void *ctx,
		       size_t *found)
{
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
	char name[PRINT_NAME_MAX];
	unsigned int waited = 0;
	err_t e;

	for (;; waited += POLL_MS) {
		e = look_for(where, prints, n, each, ctx, found);
		if ((!e && *found) || (e && err_kind(e) != ERR_IO))
			return e;
		if (waited >= wait_ms)
			break;
		err_free(e);
		nanosleep(&pause, NULL);
	}
	text_printable(name, sizeof(name), first_on(prints, n)->name);
	if (e)
		return err_context(e, "the disk with %s cannot be read", name);
	return err_new(ERR_IO, "the disk with %s did not appear within %u s", name, wait_ms / 1000);
}

static err_t read_sector(void *arg, uint64_t sector, uint8_t buf[XFSLOG_SECTOR])
{
	struct {
		const struct reading *r;
		uint64_t start;
	} *log = arg;
	const uint8_t *bytes;

	TRY(disk_read(log->r->fd, &log->r->disk, log->r->room, log->start + sector * XFSLOG_SECTOR,
		      XFSLOG_SECTOR, &bytes));
	memcpy(buf, bytes, XFSLOG_SECTOR);
	return NULL;
}

/*
 * From the head on; whatever mounts the filesystem and writes begins there, and
 * also clears what lies ahead (xlog_clear_stale_blocks). The whole log where no head is
 * to be seen.
 */
static err_t narrow_log(const struct reading *r, struct print *p)
{
	struct {
		const struct reading *r;
		uint64_t start;
	} arg = {r, p->offset};
	struct xfslog log = {p->length / XFSLOG_SECTOR, &arg, read_sector};
	uint64_t head = 0;
	bool found;

	TRY(xfslog_head(&log, &head, &found));
	if (found) {
		p->offset += head * XFSLOG_SECTOR;
		p->length = min_u64(p->length - head * XFSLOG_SECTOR, LOG_BYTES);
	}
	p->kind = PRINT_LOG;
	return NULL;
}

static err_t take_one(const struct reading *r, uint32_t n, void *ctx)
{
	struct prints *prints = ctx;

	for (uint32_t i = 0; i < prints->count; i++) {
		struct print *p = &prints->p[i];

		if (p->disk != n)
			continue;
		if (p->kind == PRINT_WANTED)
			TRY(narrow_log(r, p));
		TRY(digest(r, p, p->digest));
	}
	return NULL;
}

static err_t take_disk(const struct disk_where *where, unsigned int wait_ms, struct prints *prints,
		       uint32_t n)
{
	char name[PRINT_NAME_MAX];
	size_t found;

	if (!first_on(prints, n))
		return NULL;
	TRY(each_disk(where, wait_ms, prints, n, take_one, prints, &found));
	if (found == 1)
		return NULL;
	text_printable(name, sizeof(name), first_on(prints, n)->name);
	return err_new(ERR_REFUSED, "%zu disks look like the one with %s", found, name);
}

err_t fingerprint_take(const struct disk_where *where, unsigned int wait_ms, struct prints *prints)
{
	for (uint32_t n = 0; n < prints->disk_count; n++)
		TRY(take_disk(where, wait_ms, prints, n));
	return NULL;
}

static err_t check_one(const struct reading *r, uint32_t n, void *ctx)
{
	const struct prints *prints = ctx;
	uint8_t now[PRINT_DIGEST_BYTES];
	char name[PRINT_NAME_MAX];

	for (uint32_t i = 0; i < prints->count; i++) {
		const struct print *p = &prints->p[i];

		if (p->disk != n)
			continue;
		TRY(digest(r, p, now));
		if (!memcmp(now, p->digest, sizeof(now)))
			continue;
		text_printable(name, sizeof(name), p->name);
		return err_new(ERR_CORRUPT,
			       "%s was written to since the machine was hibernated: its %s differs",
			       name, print_kind_name(p->kind));
	}
	return NULL;
}

err_t fingerprint_check(const struct disk_where *where, unsigned int wait_ms,
			const struct prints *prints)
{
	size_t found;

	for (uint32_t n = 0; n < prints->disk_count; n++) {
		if (first_on(prints, n))
			TRY(each_disk(where, wait_ms, prints, n, check_one,
				      (void *)(uintptr_t)prints, &found));
	}
	return NULL;
}
