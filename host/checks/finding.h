/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a check of preflight.h's table has found. */
#ifndef HOST_FINDING_H
#define HOST_FINDING_H

#include "base/err.h"

enum finding_level {
	FINDING_OK,
	FINDING_WARN,
	FINDING_REFUSE,
	FINDING_SKIP, /* not looked at, since another check failed */
};

struct finding {
	enum finding_level level;
	char text[512]; /* plain words, one line: what is, and what to do */
};

void finding_set(struct finding *f, enum finding_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with an error's text; frees e. */
void finding_set_err(struct finding *f, enum finding_level level, err_t e);

#endif
