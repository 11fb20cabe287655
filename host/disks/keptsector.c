/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/keptsector.h"

#include "base/crc32c.h"
#include "base/io.h"
#include "base/log.h"
#include "base/newfile.h"
#include "base/util.h"
#include "config/keyvalue.h"
#include "formats/locator.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PREFIX	  "sector-"
#define FILE_MAX  8192u
#define HEX_BYTES 64u /* of the sector, in a line */

/* The last line: over all before it. Of the sector itself nothing can be said: beneath dm-crypt
 * it is what that makes of a swap header. */
#define CHECKSUM       "checksum = %08x\n"
#define CHECKSUM_BYTES (sizeof("checksum = \n") - 1 + 8)

static const char *folder_of(const struct keptsector_where *where)
{
	return where && where->folder ? where->folder : KEPTSECTOR_DIR;
}

static void print_hex(FILE *f, const char *key, const uint8_t *bytes, size_t n)
{
	fprintf(f, "%s = ", key);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%02x", bytes[i]);
	putc('\n', f);
}

static void print(const struct keptsector *k, FILE *f)
{
	const struct pin *pin = &k->pin;

	fprintf(f, "# made by dormouse: what byte %llu of a disk held\n",
		(unsigned long long)pin->byte);
	fprintf(f, "target = %s\nidentity = %s\n", pin->target,
		*pin->identity ? pin->identity : "-");
	fprintf(f, "disk_bytes = %llu\nbyte = %llu\nmap = %llu\n",
		(unsigned long long)pin->disk_bytes, (unsigned long long)k->kept.locator,
		(unsigned long long)k->kept.map);
	print_hex(f, "nonce", k->kept.nonce, NONCE_BYTES);
	for (size_t i = 0; i < LOCATOR_BYTES; i += HEX_BYTES)
		print_hex(f, "sector", k->kept.saved + i, HEX_BYTES);
}

/* *text is the caller's to free. */
static err_t format(const struct keptsector *k, char **text, size_t *n)
{
	FILE *f = open_memstream(text, n);

	if (!f)
		return err_new(ERR_NOMEM, "keeping a sector");
	print(k, f);
	if (!fflush(f))
		fprintf(f, CHECKSUM, crc32c(0, *text, *n));
	if (fclose(f))
		return err_new(ERR_NOMEM, "keeping a sector");
	return NULL;
}

err_t keptsector_save(const struct keptsector_where *where, const struct keptsector *k)
{
	CLEANUP_FREE char *text = NULL;
	char path[PATH_MAX];
	size_t n = 0, at;

	TRY(format(k, &text, &n));
	if (mkdir(folder_of(where), 0700) && errno != EEXIST)
		return err_errno("making %s", folder_of(where));
	at = (size_t)snprintf(path, sizeof(path), "%s/" PREFIX, folder_of(where));
	for (size_t i = 0; i < NONCE_BYTES && at < sizeof(path); i++)
		at += (size_t)snprintf(path + at, sizeof(path) - at, "%02x", k->kept.nonce[i]);
	return newfile_put(path, text, n);
}

/* A file as far as it is read. */
struct reading {
	struct keptsector k;
	size_t nonce_bytes, sector_bytes;
	bool has_identity;
};

/* To the end of what there is of out already. */
static err_t parse_hex(const char *value, uint8_t *out, size_t *have, size_t room)
{
	size_t n = strlen(value) / 2;
	unsigned int byte;

	if (strlen(value) % 2 || value[strspn(value, "0123456789abcdef")] || n > room - *have)
		return err_new(ERR_INVALID, "not as many hexadecimal digits as there must be");
	for (size_t i = 0; i < n; i++) {
		sscanf(value + 2 * i, "%2x", &byte);
		out[(*have)++] = (uint8_t)byte;
	}
	return NULL;
}

static err_t parse_number(const char *value, uint64_t *out)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || errno)
		return err_new(ERR_INVALID, "\"%s\" is no number", value);
	*out = number;
	return NULL;
}

static err_t parse_text(const char *value, char *out, size_t n)
{
	if (strlen(value) >= n)
		return err_new(ERR_INVALID, "too long");
	strcpy(out, value);
	return NULL;
}

static err_t take(void *ctx, const char *key, const char *value)
{
	struct reading *r = ctx;
	struct pin *pin = &r->k.pin;
	struct located_kept *kept = &r->k.kept;

	if (!strcmp(key, "target"))
		return parse_text(value, pin->target, sizeof(pin->target));
	r->has_identity |= !strcmp(key, "identity");
	if (!strcmp(key, "identity"))
		return parse_text(strcmp(value, "-") ? value : "", pin->identity,
				  sizeof(pin->identity));
	if (!strcmp(key, "disk_bytes"))
		return parse_number(value, &pin->disk_bytes);
	if (!strcmp(key, "byte"))
		return parse_number(value, &kept->locator);
	if (!strcmp(key, "map"))
		return parse_number(value, &kept->map);
	if (!strcmp(key, "nonce"))
		return parse_hex(value, kept->nonce, &r->nonce_bytes, NONCE_BYTES);
	if (!strcmp(key, "sector"))
		return parse_hex(value, kept->saved, &r->sector_bytes, LOCATOR_BYTES);
	if (!strcmp(key, "checksum"))
		return NULL;
	return err_new(ERR_INVALID, "unknown key");
}

static bool checksum_holds(const char *text, size_t n)
{
	char want[CHECKSUM_BYTES + 1];

	if (n < CHECKSUM_BYTES)
		return false;
	n -= CHECKSUM_BYTES;
	snprintf(want, sizeof(want), CHECKSUM, crc32c(0, text, n));
	return !memcmp(text + n, want, CHECKSUM_BYTES);
}

/* Has it all the lines? */
static bool is_whole(const struct reading *r)
{
	return r->nonce_bytes == NONCE_BYTES && r->sector_bytes == LOCATOR_BYTES &&
	       *r->k.pin.target && r->has_identity && r->k.pin.disk_bytes && r->k.kept.locator &&
	       r->k.kept.map;
}

err_t keptsector_load(const char *path, struct keptsector *out)
{
	CLEANUP_FREE char *text = NULL;
	struct reading r = {.k.pin.kind = PIN_LOCATOR};
	size_t n;

	TRY(io_read_file(path, FILE_MAX, &text, &n));
	TRY(keyvalue_each(text, n, path, take, &r));
	if (!checksum_holds(text, n) || !is_whole(&r))
		return err_new(ERR_INVALID, "%s is not all that was kept of a sector", path);
	r.k.pin.byte = r.k.kept.locator;
	*out = r.k;
	return NULL;
}

static err_t is_due_on(const char *path, const struct keptsector *k, bool *due)
{
	struct target t;
	err_t e;

	TRY(target_open(&t, path, false, false));
	e = located_kept_due(&t, &k->kept, due);
	target_close(&t);
	return e;
}

static err_t put_back_on(const char *path, const struct keptsector *k)
{
	struct target t;
	err_t e;

	TRY(target_open(&t, path, true, false));
	e = located_put_back(&t, &k->kept);
	target_close(&t);
	return e;
}

/* Of the disks that may be the pinned one: how many there are, how many have the locator, and
 * the first of those. */
struct found {
	unsigned int disks, due;
	char path[TARGET_NAME_MAX];
};

static err_t find(const struct disk_where *where, const struct keptsector *k, struct found *f)
{
	CLEANUP_FREE struct disk *disks = NULL;
	size_t count = 0;

	TRY(disk_scan(where, &disks, &count));
	for (size_t i = 0; i < count; i++) {
		char path[TARGET_NAME_MAX];
		bool due = false;

		if (!pins_on_disk(&k->pin, disks[i].identity, disks[i].bytes))
			continue;
		f->disks++;
		disk_path(where, &disks[i], path, sizeof(path));
		TRY(is_due_on(path, k, &due));
		if (due && !f->due++)
			strcpy(f->path, path);
	}
	return NULL;
}

/* *done: it is put back. Without an error it is needed no more. */
static err_t put_back(const struct disk_where *where, const struct keptsector *k, bool *done)
{
	struct found f = {.disks = 0};

	*done = false;
	TRY(find(where, k, &f));
	if (!f.disks)
		return err_new(ERR_INVALID, "its disk is not there");
	if (f.due > 1)
		return err_new(ERR_REFUSED, "%u disks are alike, and nobody knows which one it is",
			       f.due);
	if (!f.due)
		return NULL;
	TRY(put_back_on(f.path, k));
	*done = true;
	return NULL;
}

static err_t settle(const struct keptsector_where *where, const char *path)
{
	struct keptsector k;
	bool done;

	TRY(keptsector_load(path, &k));
	TRY(err_context(put_back(where ? where->disks : NULL, &k, &done),
			"page 0 of the swap area %s", k.pin.target));
	if (done)
		log_info("page 0 of the swap area %s is put back: it can be turned on again",
			 k.pin.target);
	return unlink(path) ? err_errno("removing %s", path) : NULL;
}

void keptsector_put_back(const struct keptsector_where *where)
{
	DIR *dir = opendir(folder_of(where)); /* most machines never have one */
	char path[PATH_MAX];
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		const char *dot = strchr(d->d_name, '.'); /* of newfile.h */
		err_t e;

		if (strncmp(d->d_name, PREFIX, strlen(PREFIX)) || dot)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder_of(where), d->d_name);
		e = settle(where, path);
		if (e)
			log_warn("%s (what it held is in %s)", err_text(e), path);
		err_free(e);
	}
	if (dir)
		closedir(dir);
}
