/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Kernel source: Documentation/driver-api/early-userspace/buffer-format.rst.
 * Archives without compression (microcode, modules), zero bytes between them,
 * then a compressed part, which is a sequence of archives again. What follows
 * the compressed part is not looked at: mkinitramfs and dracut put it last.
 */
#include "host/checks/initramfs.h"

#include "base/util.h"
#include "config/config.h"
#include "config/pins.h"
#include "formats/cpio.h"
#include "host/checks/unpack.h"

#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_BYTES_MAX 4096u
#define WANTED_MAX     (32u << 20)

const struct initramfs_library initramfs_libraries[INITRAMFS_LIBRARIES] = {
	{TOKEN_TPM2, "libcryptsetup-token-systemd-tpm2.so"},
	{TOKEN_TPM2, "libtss2-esys.so.0"},
	{TOKEN_TPM2, "libtss2-rc.so.0"},
	{TOKEN_TPM2, "libtss2-mu.so.0"},
	{TOKEN_TPM2, "libtss2-tcti-device.so.0"},
	{TOKEN_FIDO2, "libcryptsetup-token-systemd-fido2.so"},
	{TOKEN_FIDO2, "libfido2.so.1"},
};

/* A later entry of the same name replaces an earlier one, as in the kernel. */
struct found {
	bool resume, unlock;
	unsigned int libraries;
	struct content {
		uint8_t *p; /* owned; NULL: not there */
		size_t n;
	} kernel, initrd, pins, config;
};

static void found_deinit(struct found *f)
{
	free(f->kernel.p);
	free(f->initrd.p);
	free(f->pins.p);
	free(f->config.p);
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

static err_t keep(struct unpack *u, const struct cpio_entry *entry, struct content *c)
{
	uint8_t *p;

	if (entry->size > WANTED_MAX)
		return err_new(ERR_CORRUPT, "a file of dormouse in %s is too large", u->path);
	p = malloc(entry->size + 1);
	if (!p)
		return err_new(ERR_NOMEM, "reading %s", u->path);
	free(c->p);
	*c = (struct content){p, entry->size};
	return unpack_read(u, p, entry->size);
}

/* In whatever folder the dynamic loader has them; many are symbolic links. */
static unsigned int which_library(const char *name)
{
	const char *slash = strrchr(name, '/');

	for (unsigned int i = 0; slash && i < INITRAMFS_LIBRARIES; i++)
		if (!strcmp(slash + 1, initramfs_libraries[i].name))
			return 1u << i;
	return 0;
}

static err_t take_data(struct unpack *u, const struct cpio_entry *entry, const char *name,
		       struct found *f)
{
	const struct {
		const char *name;
		struct content *content;
	} kept[] = {
		{"usr/lib/dormouse/writer.vmlinux.lz4", &f->kernel},
		{"usr/lib/dormouse/writer.cpio", &f->initrd},
		{"etc/dormouse/pins", &f->pins},
		{"etc/dormouse.conf", &f->config},
	};

	for (size_t i = 0; S_ISREG(entry->mode) && i < ARRAY_LEN(kept); i++)
		if (!strcmp(name, kept[i].name))
			return keep(u, entry, kept[i].content);
	if (S_ISREG(entry->mode) && entry->size) {
		f->resume |= !strcmp(name, "usr/lib/dormouse/resume");
		f->unlock |= !strcmp(name, "usr/lib/dormouse/unlock");
	}
	f->libraries |= which_library(name);
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

/* Of one content after the other; b may be NULL. */
static err_t hash(const struct content *a, const struct content *b, uint8_t sha256[32])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) &&
		    EVP_DigestUpdate(c, a->p, a->n) && (!b || EVP_DigestUpdate(c, b->p, b->n)) &&
		    EVP_DigestFinal_ex(c, sha256, NULL);

	EVP_MD_CTX_free(c);
	return good ? NULL : err_new(ERR_NOMEM, "hashing what is in the initramfs");
}

/* As resume/options.c does: bad pins are none, and a bad configuration is the end. */
static bool read_config(const struct found *f, struct config *config)
{
	struct pins pins = {.count = 0};
	err_t e = NULL;

	config_init(config);
	if (f->pins.p)
		err_free(pins_parse((const char *)f->pins.p, f->pins.n, "pins", &pins));
	if (f->config.p)
		e = config_parse((const char *)f->config.p, f->config.n, "dormouse.conf", config);
	if (!e)
		e = pins_add_targets(&pins, config);
	err_free(e);
	return !e;
}

static err_t take_config(const struct found *f, struct initramfs *out)
{
	CLEANUP_FREE struct config *config = malloc(sizeof(*config));

	if (!config)
		return err_new(ERR_NOMEM, "reading the initramfs' configuration");
	out->config = read_config(f, config);
	out->encrypt = config->encrypt;
	out->target_count = config->target_count;
	memcpy(out->targets, config->targets, sizeof(out->targets));
	return NULL;
}

static err_t sum_up(const struct found *f, struct initramfs *out)
{
	*out = (struct initramfs){
		.resume = f->resume,
		.writer = f->kernel.p && f->initrd.p,
		.unlock = f->unlock,
		.libraries = f->libraries,
		.pins = f->pins.p != NULL,
	};
	TRY(take_config(f, out));
	if (out->writer)
		TRY(hash(&f->kernel, &f->initrd, out->sha256));
	return out->pins ? hash(&f->pins, NULL, out->pins_sha256) : NULL;
}

err_t initramfs_scan(const char *path, struct initramfs *out)
{
	CLEANUP_FREE struct unpack *u = malloc(sizeof(*u));
	struct found f = {0};
	struct initramfs result;
	err_t e;

	if (!u)
		return err_new(ERR_NOMEM, "reading %s", path);
	TRY(unpack_open(u, path));
	e = scan(u, &f);
	unpack_close(u);
	if (!e)
		e = sum_up(&f, &result);
	if (!e)
		*out = result;
	found_deinit(&f);
	return e;
}
