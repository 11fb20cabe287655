/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/setup/setup.h"

#include "base/newfile.h"
#include "base/util.h"
#include "host/keys.h"

#include <stdio.h>

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
	return newfile_put(PINS_PATH, text, n);
}
