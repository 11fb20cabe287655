/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/disks/fspath.h"

#include "base/io.h"
#include "base/text.h"
#include "base/util.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define TEXT_MAX (8u << 20)

/* proc(5): id parent major:minor root mount-point ...; the last two in place. */
static bool is_mount(char *line, unsigned long long id, char **root, char **point)
{
	char *rest = NULL, *word = strtok_r(line, " ", &rest);

	if (!word || strtoull(word, NULL, 10) != id)
		return false;
	strtok_r(NULL, " ", &rest);
	strtok_r(NULL, " ", &rest);
	*root = strtok_r(NULL, " ", &rest);
	*point = strtok_r(NULL, " ", &rest);
	if (!*point)
		return false;
	text_unescape(*root);
	text_unescape(*point);
	return true;
}

/* Without the folder that it is in; NULL: it is not in there. */
static const char *below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	if (n == 1) /* "/" */
		return path;
	return !strncmp(path, folder, n) && path[n] == '/' ? path + n : NULL;
}

err_t fspath_by(char *text, unsigned long long mount_id, const char *real, char *out, size_t n)
{
	char *rest = NULL, *root, *point;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		const char *tail;
		int used;

		if (!is_mount(line, mount_id, &root, &point))
			continue;
		tail = below(real, point);
		if (!tail)
			break;
		used = snprintf(out, n, "%s%s", strcmp(root, "/") ? root : "", tail);
		if (used >= 0 && (size_t)used < n)
			return NULL;
		break;
	}
	return err_new(ERR_REFUSED, "the path of %s in its filesystem cannot be told", real);
}

err_t fspath_of(int fd, const char *path, char *out, size_t n)
{
	CLEANUP_FREE char *text = NULL;
	char real[PATH_MAX];
	struct statx sx;
	size_t bytes;

	if (!realpath(path, real))
		return err_errno("%s", path);
	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx) || !(sx.stx_mask & STATX_MNT_ID))
		return err_new(ERR_REFUSED, "the kernel does not tell in what mount %s is", path);
	TRY(io_read_file("/proc/self/mountinfo", TEXT_MAX, &text, &bytes));
	return fspath_by(text, sx.stx_mnt_id, real, out, n);
}
