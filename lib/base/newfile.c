/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/newfile.h"

#include "base/io.h"
#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static err_t check_path(const struct newfile *f)
{
	struct stat st;

	if (stat(f->path, &st)) {
		if (errno == ENOENT)
			return NULL;
		return err_errno("%s", f->path);
	}
	if (!S_ISREG(st.st_mode))
		return err_new(ERR_REFUSED, "%s is there, and no regular file", f->path);
	if (!f->replace)
		return err_new(ERR_REFUSED, "%s is there already (--force replaces it)", f->path);
	return NULL;
}

static err_t remove_leftover(const struct newfile *f)
{
	struct stat st;

	if (lstat(f->partial, &st))
		return errno == ENOENT ? NULL : err_errno("%s", f->partial);
	if (!S_ISREG(st.st_mode))
		return err_new(ERR_REFUSED, "%s is there, and no regular file", f->partial);
	return unlink(f->partial) ? err_errno("removing %s", f->partial) : NULL;
}

err_t newfile_create(struct newfile *f, const char *path, bool replace)
{
	*f = (struct newfile){.replace = replace, .fd = -1};
	if (!*path || strlen(path) + sizeof(".partial") > sizeof(f->partial))
		return err_new(ERR_INVALID, "\"%s\" is no name for a file", path);
	strcpy(f->path, path);
	snprintf(f->partial, sizeof(f->partial), "%s.partial", f->path);
	TRY(check_path(f));
	TRY(remove_leftover(f));
	f->fd = open(f->partial, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return f->fd < 0 ? err_errno("creating %s", f->partial) : NULL;
}

static err_t flush_directory(const char *path)
{
	char copy[PATH_MAX];
	CLEANUP_CLOSE int fd = -1;

	strcpy(copy, path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno("directory of %s", path);
	return io_fsync(fd, path);
}

/* Another run, to which this one's file looked like a leftover, may have put its
 * own in its place. That one is not to be renamed, as it is not whole, nor removed. */
static bool is_ours(const struct newfile *f)
{
	struct stat mine, named;

	return !fstat(f->fd, &mine) && !lstat(f->partial, &named) && mine.st_dev == named.st_dev &&
	       mine.st_ino == named.st_ino;
}

/* Where a file system knows no RENAME_NOREPLACE, what was found when the file
 * was created has to do. */
static err_t take_name(const struct newfile *f)
{
	if (!renameat2(AT_FDCWD, f->partial, AT_FDCWD, f->path, f->replace ? 0 : RENAME_NOREPLACE))
		return NULL;
	if (errno == EEXIST)
		return err_new(ERR_REFUSED, "%s has come into being meanwhile", f->path);
	if (errno != EINVAL || rename(f->partial, f->path))
		return err_errno("renaming %s", f->partial);
	return NULL;
}

err_t newfile_commit(struct newfile *f)
{
	err_t e = io_fsync(f->fd, f->partial);

	if (!e && !is_ours(f))
		e = err_new(ERR_REFUSED, "%s was replaced by somebody else", f->partial);
	if (!e)
		e = take_name(f);
	if (e) {
		newfile_discard(f);
		return e;
	}
	close(f->fd);
	f->fd = -1;
	return flush_directory(f->path);
}

void newfile_discard(struct newfile *f)
{
	if (f->fd < 0)
		return;
	if (is_ours(f))
		unlink(f->partial);
	close(f->fd);
	f->fd = -1;
}

err_t newfile_put(const char *path, const void *bytes, size_t n)
{
	struct newfile f;
	err_t e;

	TRY(newfile_create(&f, path, true));
	e = io_pwrite(f.fd, bytes, n, 0, path);
	if (!e)
		e = newfile_commit(&f);
	newfile_discard(&f);
	return e;
}
