/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "formats/cpio.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define FIELDS	       13
#define FIELD_DIGITS   8
#define MAGIC_BYTES    6
#define NAME_MAX_BYTES 4096 /* PATH_MAX: the kernel skips what is longer */

/* Places of the fields after the magic, in the order of buffer-format.rst. */
enum field { INO, MODE, UID, GID, NLINK, MTIME, FILESIZE, MAJ, MIN, RMAJ, RMIN, NAMESIZE, CHKSUM };

static const char trailer[] = "TRAILER!!!";

static_assert(MAGIC_BYTES + FIELDS * FIELD_DIGITS == CPIO_HEADER_BYTES, "newc header");

static size_t pad4(size_t n)
{
	return (4 - n % 4) % 4;
}

static size_t entry_bytes(size_t name_bytes, size_t n)
{
	size_t head = CPIO_HEADER_BYTES + name_bytes;

	return head + pad4(head) + n + pad4(n);
}

size_t cpio_file_bytes(const char *name, size_t n)
{
	return entry_bytes(strlen(name) + 1, n) + entry_bytes(sizeof(trailer), 0);
}

/* Header, name and padding; returns where the data goes. */
static uint8_t *put_head(uint8_t *p, const char *name, uint32_t mode, uint32_t n)
{
	uint32_t name_bytes = (uint32_t)strlen(name) + 1;
	uint32_t fields[FIELDS] = {
		[MODE] = mode, [NLINK] = 1, [FILESIZE] = n, [NAMESIZE] = name_bytes};
	char header[CPIO_HEADER_BYTES + 1] = "070701";
	size_t head = CPIO_HEADER_BYTES + name_bytes;

	for (size_t i = 0; i < FIELDS; i++)
		snprintf(header + MAGIC_BYTES + i * FIELD_DIGITS, FIELD_DIGITS + 1, "%08x",
			 fields[i]);
	memcpy(p, header, CPIO_HEADER_BYTES);
	memcpy(p + CPIO_HEADER_BYTES, name, name_bytes);
	memset(p + head, 0, pad4(head));
	return p + head + pad4(head);
}

void cpio_encode_file(const char *name, const void *data, size_t n, uint8_t *out)
{
	uint8_t *p;

	assert(n <= UINT32_MAX && strlen(name) < NAME_MAX_BYTES);
	p = put_head(out, name, 0100600, (uint32_t)n);
	if (n)
		memcpy(p, data, n);
	memset(p + n, 0, pad4(n));
	put_head(p + n + pad4(n), trailer, 0, 0);
}

static bool hex(const uint8_t *p, uint32_t *out)
{
	uint32_t x = 0;

	for (int i = 0; i < FIELD_DIGITS; i++) {
		uint8_t c = p[i];

		if (c >= '0' && c <= '9')
			x = x << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			x = x << 4 | (uint32_t)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			x = x << 4 | (uint32_t)(c - 'A' + 10);
		else
			return false;
	}
	*out = x;
	return true;
}

/* 070702 differs from 070701 only in that its check field is used. */
err_t cpio_decode_header(const uint8_t in[CPIO_HEADER_BYTES], struct cpio_entry *out)
{
	uint32_t fields[FIELDS];

	if (memcmp(in, "070701", MAGIC_BYTES) && memcmp(in, "070702", MAGIC_BYTES))
		return err_new(ERR_FORMAT, "no cpio archive here");
	for (size_t i = 0; i < FIELDS; i++)
		if (!hex(in + MAGIC_BYTES + i * FIELD_DIGITS, &fields[i]))
			return err_new(ERR_CORRUPT, "cpio header has a bad number");
	if (fields[NAMESIZE] == 0 || fields[NAMESIZE] > NAME_MAX_BYTES)
		return err_new(ERR_CORRUPT, "cpio header has a name of %u bytes", fields[NAMESIZE]);
	*out = (struct cpio_entry){fields[MODE], fields[FILESIZE], fields[NAMESIZE]};
	return NULL;
}

size_t cpio_name_padding(const struct cpio_entry *e)
{
	return pad4(CPIO_HEADER_BYTES + (size_t)e->name_bytes);
}

size_t cpio_data_padding(const struct cpio_entry *e)
{
	return pad4((size_t)(e->size % 4));
}
