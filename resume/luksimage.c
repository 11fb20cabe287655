/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/luksimage.h"

#include "base/log.h"
#include "base/util.h"
#include "fingerprint/disk.h"
#include "keys/locked.h"
#include "resume/opener.h"
#include "resume/passphrases.h"
#include "target/cryptmap.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAPPING "dormouse-image"

static err_t open_device(const char *device, int *fd)
{
	*fd = open(device, O_RDWR | O_CLOEXEC);
	return *fd < 0 ? err_errno("opening %s", device) : NULL;
}

static err_t ask_header(const char *device, const struct options *o, const char *option)
{
	struct opener want = {.program = o->opener, .option = option};
	CLEANUP_CLOSE int fd = -1;

	TRY(open_device(device, &fd));
	want.header = fd;
	return opener_run(&want, NULL, NULL);
}

static err_t check_marked(const char *device, const struct options *o)
{
	err_t e = ask_header(device, o, OPENER_MARKED);

	if (!e || err_kind(e) != ERR_REFUSED)
		return e;
	err_free(e);
	return err_new(ERR_FORMAT, "no image is marked in %s", device);
}

static err_t open_area(struct luksimage *l, const struct options *o)
{
	struct opener want = {
		.program = o->opener, .option = OPENER_VOLUME, .bytes = sizeof(*l->area)};
	CLEANUP_CLOSE int fd = -1;
	char what[CONFIG_TEXT_MAX + 64];
	bool person;

	TRY(open_device(l->device, &fd));
	want.header = fd;
	snprintf(what, sizeof(what), "the LUKS partition %s, in which an image is", l->device);
	return passphrases_try(o, &want, what, l->area, &person);
}

static err_t map(struct luksimage *l, char *path)
{
	uint64_t start = 0;
	struct stat st;

	if (stat(l->device, &st))
		return err_errno("%s", l->device);
	TRY(disk_of(st.st_rdev, &start, &l->disk_bytes));
	l->area->bytes = align_down(l->area->bytes, PAGE_BYTES);
	TRY(cryptmap_open(MAPPING, st.st_rdev, l->area, path, LUKSIMAGE_PATH_MAX));
	l->area->start += start;
	return NULL;
}

static err_t create(const char *device, const struct options *o, char *path, struct luksimage *l)
{
	void *p;

	snprintf(l->device, sizeof(l->device), "%s", device);
	TRY(check_marked(device, o));
	TRY(locked_create(sizeof(*l->area), &p));
	l->area = p;
	TRY(open_area(l, o));
	return map(l, path);
}

err_t luksimage_create(const char *target, const struct options *o, char *path,
		       struct luksimage **out)
{
	struct luksimage *l = calloc(1, sizeof(*l));
	err_t e;

	if (!l)
		return err_new(ERR_NOMEM, "opening %s", target);
	e = create(config_luks_device(target), o, path, l);
	if (e)
		luksimage_destroy(l, o, false);
	else
		*out = l;
	return e;
}

void luksimage_destroy(struct luksimage *l, const struct options *o, bool unmark)
{
	err_t e;

	if (!l)
		return;
	e = l->area ? cryptmap_close(MAPPING) : NULL;
	if (!e && unmark)
		e = ask_header(l->device, o, OPENER_UNMARK);
	if (e)
		log_warn("%s: %s", l->device, err_text(e));
	err_free(e);
	locked_destroy(l->area, sizeof(*l->area));
	free(l);
}
