/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RESUME_VERDICT_H
#define RESUME_VERDICT_H

#include "base/err.h"
#include "image/commit.h"

#include <stdbool.h>

/*
 * What the slots say to do. No error: *resume says whether there is an image to
 * resume; *said is a line for people, or NULL. ERR_REFUSED or ERR_CORRUPT:
 * there is one, or was, and it must not be touched. retry: the user wants
 * another try after resuming failed.
 */
err_t verdict_decide(const struct commit *c, bool retry, bool *resume, const char **said) ERR_CHECK;

/*
 * This boot goes on without the image and will write to its disks: is it to be
 * marked (commit_resume_failed), so that no later boot resumes it unasked?
 */
bool verdict_marks(const struct commit *c);

#endif
