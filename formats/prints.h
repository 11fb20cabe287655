/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fingerprints: what the sectors held that change when somebody mounts a
 * filesystem and writes, on bare disks, at the moment the host was left. Two
 * records of the header. docs/image-format.md, "Fingerprints".
 */
#ifndef FORMATS_PRINTS_H
#define FORMATS_PRINTS_H

#include "base/err.h"
#include "formats/tlv.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRINTS_MAX	   256u
#define PRINTS_DISKS_MAX   64u
#define PRINTS_LENGTH_MAX  (2ull << 30) /* the longest log of XFS */
#define PRINT_DIGEST_BYTES 32u
#define PRINT_MARK_BYTES   16u
#define PRINT_NAME_MAX	   80u
#define PRINT_IDENTITY_MAX 56u
#define PRINT_NO_MARK	   UINT32_MAX

/* What lies there. */
enum print_kind {
	PRINT_SUPERBLOCK = 1,
	PRINT_JOURNAL = 2, /* superblock of a journal */
	PRINT_LOG = 3,	   /* of a log: where the next write goes */
	PRINT_RAID = 4,	   /* superblock of a RAID member */
	PRINT_START = 5,   /* of a filesystem that nothing more is known of */
	PRINT_WANTED =
		16, /* handoff only: a whole log of XFS, in which the writer looks for PRINT_LOG */
};

/* A disk that has fingerprints. */
struct print_disk {
	uint64_t bytes;
	char identity[PRINT_IDENTITY_MAX]; /* as sysfs says it; empty: not known */
};

struct print {
	uint32_t disk; /* number in the list */
	enum print_kind kind;
	uint64_t offset; /* bytes of the disk, multiples of 512 */
	uint64_t length;
	uint32_t mark_at; /* after offset: bytes that stay; PRINT_NO_MARK: none known */
	uint8_t mark[PRINT_MARK_BYTES];
	uint8_t digest[PRINT_DIGEST_BYTES]; /* SHA-256; in the handoff zero */
	char name[PRINT_NAME_MAX];	    /* "/ (ext4 on /dev/vda)" */
};

struct prints {
	uint32_t disk_count;
	uint32_t count;
	struct print_disk disks[PRINTS_DISKS_MAX];
	struct print p[PRINTS_MAX]; /* in the order of disk and offset */
};

/* "superblock", for messages. */
const char *print_kind_name(enum print_kind kind);

/*
 * Add a place, in its order; one that is there already is not added again.
 * ERR_REFUSED: too many.
 */
err_t prints_add(struct prints *prints, const struct print *print) ERR_CHECK;

/* No PRINT_WANTED is left. */
bool prints_complete(const struct prints *prints);

/* The payloads of the two records. */
void prints_put(struct tlv_writer *w, uint32_t disks_tag, uint32_t prints_tag,
		const struct prints *prints);

/* ERR_CORRUPT: wrong lengths, strings, places or order; ERR_UNSUPPORTED: unknown kind. */
err_t prints_get_disks(const struct tlv *t, struct prints *out) ERR_CHECK;
err_t prints_get(const struct tlv *t, struct prints *out) ERR_CHECK;

/* What can only be said of both records together. */
err_t prints_check(const struct prints *prints) ERR_CHECK;

#endif
