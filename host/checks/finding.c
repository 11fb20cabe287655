/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/checks/finding.h"

#include <stdarg.h>
#include <stdio.h>

void finding_set(struct finding *f, enum finding_level level, const char *fmt, ...)
{
	va_list ap;

	f->level = level;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

void finding_set_err(struct finding *f, enum finding_level level, err_t e)
{
	finding_set(f, level, "%s", err_text(e));
	err_free(e);
}
