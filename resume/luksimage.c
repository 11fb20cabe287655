/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/luksimage.h"

#include "base/io.h"
#include "base/log.h"
#include "base/util.h"
#include "fingerprint/disk.h"
#include "keys/locked.h"
#include "keys/volume.h"
#include "resume/opener.h"
#include "resume/passphrases.h"
#include "target/cryptmap.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static err_t open_device(const char *device, int *fd)
{
	*fd = open(device, O_RDWR | O_CLOEXEC);
	return *fd < 0 ? err_errno("opening %s", device) : NULL;
}

static err_t ask_header(const struct luksimage *l, const char *option, void *byte)
{
	struct opener want = {.program = l->o->opener, .option = option, .bytes = byte ? 1 : 0};
	CLEANUP_CLOSE int fd = -1;

	TRY(open_device(l->device, &fd));
	want.header = fd;
	return opener_run(&want, NULL, byte);
}

/* ERR_FORMAT: there is none, or none that a boot may resume. */
static err_t check_marked(struct luksimage *l)
{
	uint8_t mark = VOLUME_NONE;
	err_t e = ask_header(l, OPENER_MARKED, &mark);

	if (e && err_kind(e) == ERR_REFUSED) {
		err_free(e);
		return err_new(ERR_FORMAT, "no image is marked in %s", l->device);
	}
	TRY(e);
	l->skipped = mark == VOLUME_SKIPPED;
	if (mark != VOLUME_DISCARDED)
		return NULL;
	log_info("%s: the image in it was discarded at an earlier boot", l->device);
	return err_new(ERR_FORMAT, "no image that counts is in %s", l->device);
}

static err_t open_area(struct luksimage *l, bool *person)
{
	struct opener want = {
		.program = l->o->opener, .option = OPENER_VOLUME, .bytes = sizeof(*l->area)};
	CLEANUP_CLOSE int fd = -1;
	char what[CONFIG_TEXT_MAX + 64];

	TRY(open_device(l->device, &fd));
	want.header = fd;
	snprintf(what, sizeof(what), "the LUKS partition %s, in which an image is", l->device);
	return passphrases_try(l->o, &want, what, l->typed, l->area, person);
}

static err_t map(struct luksimage *l, char *path)
{
	char name[sizeof(l->mapping)];
	uint64_t start = 0;
	struct stat st;

	if (stat(l->device, &st))
		return err_errno("%s", l->device);
	TRY(disk_of(st.st_rdev, &start, &l->disk_bytes));
	l->area->bytes = align_down(l->area->bytes, PAGE_BYTES);
	snprintf(name, sizeof(name), "dormouse-image-%u-%u", major(st.st_rdev), minor(st.st_rdev));
	TRY(cryptmap_close(name)); /* of a run that was killed */
	TRY(cryptmap_open(name, st.st_rdev, l->area, path, LUKSIMAGE_PATH_MAX));
	strcpy(l->mapping, name);
	l->area->start += start;
	return NULL;
}

/* libcryptsetup takes a header that it cannot read for one that is none. */
static err_t check_readable(int fd, const char *device, err_t corrupt)
{
	uint8_t sector[512];
	err_t e = io_pread(fd, sector, sizeof(sector), 0, device);

	if (!e)
		return corrupt;
	err_free(corrupt);
	return e;
}

static err_t find(struct luksimage *l)
{
	CLEANUP_CLOSE int fd = -1;
	err_t e;

	TRY(open_device(l->device, &fd));
	e = check_marked(l);
	if (e && err_kind(e) == ERR_CORRUPT)
		return check_readable(fd, l->device, e);
	if (!e || err_kind(e) == ERR_FORMAT)
		return e;
	log_warn("%s: whether an image is in it cannot be known: %s", l->device, err_text(e));
	err_free(e);
	return NULL;
}

err_t luksimage_create(const char *target, const struct options *o, struct luksimage **out)
{
	struct luksimage *l = calloc(1, sizeof(*l));
	err_t e;

	if (!l)
		return err_new(ERR_NOMEM, "opening %s", target);
	l->o = o;
	snprintf(l->device, sizeof(l->device), "%s", config_luks_device(target));
	e = find(l);
	if (e)
		luksimage_destroy(l, false);
	else
		*out = l;
	return e;
}

void luksimage_forget(struct luksimage *l)
{
	if (!l)
		return;
	passphrase_destroy(l->typed);
	l->typed = NULL;
}

static void forget_all(struct luksimage *l)
{
	luksimage_forget(l);
	locked_destroy(l->area, sizeof(*l->area));
	l->area = NULL;
}

err_t luksimage_open(struct luksimage *l, char *path, bool *person)
{
	void *p;
	err_t e;

	*person = false;
	TRY(check_marked(l));
	TRY(locked_create(sizeof(*l->area), &p));
	l->area = p;
	e = passphrase_create(&l->typed);
	if (!e)
		e = open_area(l, person);
	if (!e)
		e = map(l, path);
	if (e)
		forget_all(l);
	return e;
}

static err_t close_mapping(struct luksimage *l)
{
	forget_all(l);
	if (*l->mapping)
		TRY(cryptmap_close(l->mapping));
	*l->mapping = '\0';
	return NULL;
}

static void tell(const struct luksimage *l, err_t e)
{
	if (e)
		log_warn("%s: %s", l->device, err_text(e));
	err_free(e);
}

void luksimage_close(struct luksimage *l)
{
	tell(l, close_mapping(l));
}

err_t luksimage_skip(struct luksimage *l)
{
	return ask_header(l, OPENER_SKIP, NULL);
}

err_t luksimage_discard(struct luksimage *l)
{
	return ask_header(l, OPENER_DISCARD, NULL);
}

void luksimage_destroy(struct luksimage *l, bool unmark)
{
	err_t e;

	if (!l)
		return;
	e = close_mapping(l);
	if (!e && unmark)
		e = ask_header(l, OPENER_UNMARK, NULL);
	tell(l, e);
	free(l);
}
