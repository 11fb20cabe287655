/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "jump/writer_files.h"

#include "base/io.h"
#include "base/util.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <zstd.h>

#define FILE_MAX    (32u << 20)
#define VMLINUX_MAX (64u << 20)

static err_t unpack(const char *packed, size_t packed_bytes, struct writer_files *w)
{
	unsigned long long n = ZSTD_getFrameContentSize(packed, packed_bytes);

	if (n == ZSTD_CONTENTSIZE_ERROR || n == ZSTD_CONTENTSIZE_UNKNOWN || n > VMLINUX_MAX)
		return err_new(ERR_CORRUPT, "%s is not a zstd file of a kernel", WRITER_KERNEL_FILE);
	w->vmlinux = malloc(n);
	if (!w->vmlinux)
		return err_new(ERR_NOMEM, "unpacking the writer kernel");
	w->vmlinux_bytes = ZSTD_decompress(w->vmlinux, n, packed, packed_bytes);
	if (ZSTD_isError(w->vmlinux_bytes))
		return err_new(ERR_CORRUPT, "unpacking %s: %s", WRITER_KERNEL_FILE,
			       ZSTD_getErrorName(w->vmlinux_bytes));
	return NULL;
}

static err_t hash(const char *a, size_t a_bytes, const uint8_t *b, size_t b_bytes, uint8_t out[32])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) &&
		  EVP_DigestUpdate(ctx, a, a_bytes) && EVP_DigestUpdate(ctx, b, b_bytes) &&
		  EVP_DigestFinal_ex(ctx, out, NULL);

	EVP_MD_CTX_free(ctx);
	return ok ? NULL : err_new(ERR_NOMEM, "hashing the writer");
}

static err_t read_part(const char *dir, const char *name, char **out, size_t *n)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (access(path, R_OK))
		return err_new(ERR_REFUSED, "the writer is missing: there is no %s", path);
	return io_read_file(path, FILE_MAX, out, n);
}

err_t writer_files_load(const char *dir, struct writer_files *out)
{
	CLEANUP_FREE char *packed = NULL;
	struct writer_files w = { 0 };
	size_t packed_bytes;
	char *initrd = NULL;
	err_t e;

	TRY(read_part(dir, WRITER_KERNEL_FILE, &packed, &packed_bytes));
	TRY(read_part(dir, WRITER_INITRD_FILE, &initrd, &w.initrd_bytes));
	w.initrd = (uint8_t *)initrd;
	e = hash(packed, packed_bytes, w.initrd, w.initrd_bytes, w.sha256);
	if (!e)
		e = unpack(packed, packed_bytes, &w);
	if (e) {
		writer_files_free(&w);
		return e;
	}
	*out = w;
	return NULL;
}

void writer_files_free(struct writer_files *w)
{
	free(w->vmlinux);
	free(w->initrd);
	*w = (struct writer_files){ 0 };
}
