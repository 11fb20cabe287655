/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which image is resumed, and what becomes of the others: with a person's help
 * where it needs one. */
#ifndef RESUME_CHOICE_H
#define RESUME_CHOICE_H

#include "base/err.h"
#include "resume/images.h"
#include "resume/options.h"

/*
 * Judge all images; resume one, or reboot, or power off: then it does not come
 * back. When it does, the boot goes on and no image is left that a boot would
 * resume unasked. *found: there was one, and it is given up. An error: that could
 * not be done.
 */
err_t choice_make(struct images *all, const struct options *o, bool *found) ERR_CHECK;

#endif
