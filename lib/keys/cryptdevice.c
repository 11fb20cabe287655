/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "keys/cryptdevice.h"

#include <errno.h>

void cryptdevice_close(struct crypt_device **cd)
{
	crypt_free(*cd);
}

/* It warns of a small header at every step. */
static void say_nothing(int level, const char *text, void *ctx)
{
	(void)level;
	(void)text;
	(void)ctx;
}

err_t cryptdevice_error(int r, const char *path, const char *what)
{
	errno = -r;
	return err_errno("%s: %s", path, what);
}

err_t cryptdevice_init(const char *path, struct crypt_device **cd)
{
	int r;

	crypt_set_log_callback(NULL, say_nothing, NULL);
	r = crypt_init(cd, path);
	if (r)
		return cryptdevice_error(r, path, "opening");
	crypt_set_log_callback(*cd, say_nothing, NULL);
	return NULL;
}
