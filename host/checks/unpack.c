/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/checks/unpack.h"

#include "base/util.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

err_t unpack_open(struct unpack *u, const char *path)
{
	u->path = path;
	u->packed = NULL;
	u->at = u->end = 0;
	u->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (u->fd < 0)
		return err_errno("opening %s", path);
	return NULL;
}

void unpack_close(struct unpack *u)
{
	if (u->packed)
		archive_read_free(u->packed);
	if (u->fd >= 0) {
		/* Read once: in the page cache it would only make the image larger. */
		posix_fadvise(u->fd, 0, 0, POSIX_FADV_DONTNEED);
		close(u->fd);
	}
	u->packed = NULL;
	u->fd = -1;
}

static err_t packed_error(const struct unpack *u)
{
	const char *why = archive_error_string(u->packed);

	return err_new(ERR_CORRUPT, "unpacking %s: %s", u->path, why ? why : "it is damaged");
}

err_t unpack_begin_packed(struct unpack *u)
{
	struct archive_entry *entry;

	if (lseek(u->fd, -(off_t)(u->end - u->at), SEEK_CUR) < 0)
		return err_errno("%s", u->path);
	u->at = u->end = 0;
	u->packed = archive_read_new();
	if (!u->packed)
		return err_new(ERR_NOMEM, "unpacking %s", u->path);
	archive_read_support_filter_all(u->packed);
	archive_read_support_format_raw(u->packed);
	if (archive_read_open_fd(u->packed, u->fd, UNPACK_BUFFER) ||
	    archive_read_next_header(u->packed, &entry))
		return packed_error(u);
	return NULL;
}

/* More bytes behind u->end; *got is 0 at the end of the stream. */
static err_t fill(struct unpack *u, size_t *got)
{
	uint8_t *to = u->buffer + u->end;
	size_t room = UNPACK_BUFFER - u->end;
	ssize_t n;

	if (u->packed) {
		n = archive_read_data(u->packed, to, room);
		if (n < 0)
			return packed_error(u);
	} else {
		do
			n = read(u->fd, to, room);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return err_errno("reading %s", u->path);
	}
	u->end += (size_t)n;
	*got = (size_t)n;
	return NULL;
}

err_t unpack_peek(struct unpack *u, size_t n, const uint8_t **p, size_t *got)
{
	size_t more = 1;

	if (u->end - u->at < n && u->at) {
		memmove(u->buffer, u->buffer + u->at, u->end - u->at);
		u->end -= u->at;
		u->at = 0;
	}
	while (u->end - u->at < n && more)
		TRY(fill(u, &more));
	*p = u->buffer + u->at;
	*got = u->end - u->at < n ? u->end - u->at : n;
	return NULL;
}

/* Take n bytes into out, or nowhere when it is NULL. */
static err_t take(struct unpack *u, uint8_t *out, uint64_t n)
{
	while (n) {
		const uint8_t *p;
		size_t got;

		TRY(unpack_peek(u, min_u64(n, UNPACK_BUFFER), &p, &got));
		if (!got)
			return err_new(ERR_CORRUPT, "%s ends too early", u->path);
		if (out) {
			memcpy(out, p, got);
			out += got;
		}
		u->at += got;
		n -= got;
	}
	return NULL;
}

err_t unpack_read(struct unpack *u, void *buf, size_t n)
{
	return take(u, buf, n);
}

err_t unpack_skip(struct unpack *u, uint64_t n)
{
	uint64_t here = u->end - u->at;

	/* Past what is in the buffer, a plain file need not be read. The last
	 * byte is, so that a file cut short is noticed. */
	if (!u->packed && n > here + UNPACK_BUFFER) {
		u->at = u->end = 0;
		if (lseek(u->fd, (off_t)(n - here - 1), SEEK_CUR) < 0)
			return err_errno("reading %s", u->path);
		n = 1;
	}
	return take(u, NULL, n);
}
