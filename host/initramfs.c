/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Kernel source: Documentation/driver-api/early-userspace/buffer-format.rst.
 * Archives without compression (microcode, modules), zero bytes between them,
 * then a compressed part, which is a sequence of archives again. What follows
 * the compressed part is not looked at: mkinitramfs and dracut put it last.
 */
#include "host/initramfs.h"

#include "base/util.h"
#include "formats/cpio.h"
#include "host/unpack.h"

#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_BYTES_MAX 4096u
#define WANTED_MAX     (32u << 20)

/* A later entry of the same name replaces an earlier one, as in the kernel. */
struct found {
	bool resume;
	uint8_t *kernel, *initrd; /* owned; NULL: not there */
	size_t kernel_bytes, initrd_bytes;
};

static void found_deinit(struct found *f)
{
	free(f->kernel);
	free(f->initrd);
}

/* Names may begin with "./" or "/". */
static const char *plain_name(const char *name)
{
	if (name[0] == '.' && name[1] == '/')
		name++;
	while (*name == '/')
		name++;
	return name;
}

static err_t keep(struct unpack *u, const struct cpio_entry *entry, uint8_t **data, size_t *n)
{
	uint8_t *p;

	if (entry->size > WANTED_MAX)
		return err_new(ERR_CORRUPT, "the writer in %s is too large", u->path);
	p = malloc(entry->size + 1);
	if (!p)
		return err_new(ERR_NOMEM, "reading the writer in %s", u->path);
	free(*data);
	*data = p;
	*n = entry->size;
	return unpack_read(u, p, entry->size);
}

static err_t take_data(struct unpack *u, const struct cpio_entry *entry, const char *name,
		       struct found *f)
{
	bool file = S_ISREG(entry->mode);

	if (file && !strcmp(name, "usr/lib/dormouse/writer.vmlinux.lz4"))
		return keep(u, entry, &f->kernel, &f->kernel_bytes);
	if (file && !strcmp(name, "usr/lib/dormouse/writer.cpio"))
		return keep(u, entry, &f->initrd, &f->initrd_bytes);
	if (file && !strcmp(name, "usr/lib/dormouse/resume") && entry->size)
		f->resume = true;
	return unpack_skip(u, entry->size);
}

static err_t take_entry(struct unpack *u, const uint8_t *header, struct found *f)
{
	struct cpio_entry entry;
	char name[NAME_BYTES_MAX];

	TRY(err_context(cpio_decode_header(header, &entry), "%s", u->path));
	if (!entry.name_bytes || entry.name_bytes > sizeof(name))
		return err_new(ERR_CORRUPT, "%s: a name of %u bytes", u->path, entry.name_bytes);
	TRY(unpack_skip(u, CPIO_HEADER_BYTES));
	TRY(unpack_read(u, name, entry.name_bytes));
	name[entry.name_bytes - 1] = '\0';
	TRY(unpack_skip(u, cpio_name_padding(&entry)));
	TRY(take_data(u, &entry, plain_name(name), f));
	return unpack_skip(u, cpio_data_padding(&entry));
}

static bool is_cpio(const uint8_t *p, size_t n)
{
	return n == CPIO_HEADER_BYTES && (!memcmp(p, "070701", 6) || !memcmp(p, "070702", 6));
}

static err_t scan(struct unpack *u, struct found *f)
{
	for (;;) {
		const uint8_t *p;
		size_t got;

		TRY(unpack_peek(u, CPIO_HEADER_BYTES, &p, &got));
		if (!got)
			return NULL;
		if (!*p)
			TRY(unpack_skip(u, 1));
		else if (is_cpio(p, got))
			TRY(take_entry(u, p, f));
		else if (!u->packed)
			TRY(unpack_begin_packed(u));
		else
			return err_new(ERR_CORRUPT, "%s is not made of cpio archives", u->path);
	}
}

static err_t hash(const struct found *f, uint8_t sha256[32])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) &&
		    EVP_DigestUpdate(c, f->kernel, f->kernel_bytes) &&
		    EVP_DigestUpdate(c, f->initrd, f->initrd_bytes) &&
		    EVP_DigestFinal_ex(c, sha256, NULL);

	EVP_MD_CTX_free(c);
	return good ? NULL : err_new(ERR_NOMEM, "hashing the writer");
}

err_t initramfs_scan(const char *path, struct initramfs *out)
{
	CLEANUP_FREE struct unpack *u = malloc(sizeof(*u));
	struct found f = {0};
	struct initramfs result = {0};
	err_t e;

	if (!u)
		return err_new(ERR_NOMEM, "reading %s", path);
	TRY(unpack_open(u, path));
	e = scan(u, &f);
	unpack_close(u);
	result.resume = f.resume;
	result.writer = f.kernel && f.initrd;
	if (!e && result.writer)
		e = hash(&f, result.sha256);
	if (!e)
		*out = result;
	found_deinit(&f);
	return e;
}
