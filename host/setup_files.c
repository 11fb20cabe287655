/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/setup.h"

#include "base/io.h"
#include "base/newfile.h"
#include "base/util.h"
#include "host/keys.h"

#include <stdio.h>

err_t setup_put_file(const char *path, const void *bytes, size_t n)
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

err_t setup_put_pins(const struct pins *pins)
{
	CLEANUP_FREE char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	if (!f)
		return err_new(ERR_NOMEM, "writing " PINS_PATH);
	pins_print(pins, f);
	if (fclose(f))
		return err_new(ERR_NOMEM, "writing " PINS_PATH);
	return setup_put_file(PINS_PATH, text, n);
}
