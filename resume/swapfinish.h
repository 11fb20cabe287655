/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RESUME_SWAPFINISH_H
#define RESUME_SWAPFINISH_H

#include "image/commit.h"

/* commit_finish in the boot kernel, where nobody has turned swap on yet: says what it
 * has done, or why it could not. *c is what lies on the medium now. */
void swapfinish(const struct target *t, struct commit *c);

#endif
