/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "jump/writer_files.h"

#include "base/io.h"
#include "base/util.h"

#include <lz4frame.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAX    (32u << 20)
#define VMLINUX_MAX (64u << 20)

/* One LZ4 frame with its content checksum, into a buffer that grows to fit. */
static err_t unpack_frame(LZ4F_dctx *ctx, const char *packed, size_t packed_bytes,
			  struct writer_files *w)
{
	size_t done = 0;

	for (;;) {
		size_t out = VMLINUX_MAX - w->vmlinux_bytes, in = packed_bytes - done;
		size_t left = LZ4F_decompress(ctx, w->vmlinux + w->vmlinux_bytes, &out,
					      packed + done, &in, NULL);

		if (LZ4F_isError(left))
			return err_new(ERR_CORRUPT, "unpacking %s: %s", WRITER_KERNEL_FILE,
				       LZ4F_getErrorName(left));
		w->vmlinux_bytes += out;
		done += in;
		if (!left)
			return NULL;
		if (!in && !out)
			return err_new(ERR_CORRUPT, "%s is cut short, or too large",
				       WRITER_KERNEL_FILE);
	}
}

static err_t unpack(const char *packed, size_t packed_bytes, struct writer_files *w)
{
	LZ4F_dctx *ctx;
	err_t e;

	/* Only what is written becomes memory. */
	w->vmlinux = malloc(VMLINUX_MAX);
	if (!w->vmlinux || LZ4F_isError(LZ4F_createDecompressionContext(&ctx, LZ4F_VERSION)))
		return err_new(ERR_NOMEM, "unpacking the writer kernel");
	e = unpack_frame(ctx, packed, packed_bytes, w);
	LZ4F_freeDecompressionContext(ctx);
	return e;
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
	return io_read_file_once(path, FILE_MAX, out, n);
}

err_t writer_files_load(const char *dir, struct writer_files *out)
{
	CLEANUP_FREE char *packed = NULL;
	struct writer_files w = {0};
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
	*w = (struct writer_files){0};
}
