/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "resume/verdict.h"

#include "base/text.h"

#include <stddef.h>

static err_t decide_valid(const struct commit *c, bool retry)
{
	char reason[SLOT_REASON_MAX];

	TRY(commit_check_page0(c));
	/* The damaged one may have been the newer, and have said RESUMING. */
	if (!c->twin_good)
		return err_new(ERR_CORRUPT,
			       "there is an image, but one of its two superblocks is damaged: "
			       "whether its memory was given control since cannot be known");
	text_printable(reason, sizeof(reason), c->slot.reason);
	if (c->slot.failed_resumes && !retry)
		return err_new(ERR_REFUSED,
			       "it was not resumed at an earlier boot (%u times), the last time "
			       "because: %s. If none of its disks was written to since, "
			       "dormouse.retry on the kernel's command line tries again",
			       c->slot.failed_resumes, reason);
	return NULL;
}

err_t verdict_decide(const struct commit *c, bool retry, bool *resume, const char **said)
{
	*resume = false;
	*said = NULL;
	switch (c->slot.state) {
	case SLOT_EMPTY:
	case SLOT_RETIRED:
		return NULL;
	case SLOT_WRITING:
		if (!c->twin_good)
			return err_new(ERR_CORRUPT,
				       "hibernation was interrupted, or a superblock is "
				       "damaged: nothing can be resumed");
		*said = "hibernation was interrupted, nothing to resume";
		return NULL;
	case SLOT_RESUMING:
		return err_new(ERR_REFUSED,
			       "the image was being resumed already: its memory was given "
			       "control, and may have written to disks since");
	case SLOT_VALID:
		TRY(decide_valid(c, retry));
		*resume = true;
		return NULL;
	}
	return err_new(ERR_UNSUPPORTED, "the superblock has an unknown state");
}

bool verdict_marks(const struct commit *c)
{
	/* Also beside a damaged twin: if it only could not be read, it may be
	 * read again by the next boot. Everything else is refused from now on. */
	return c->slot.state == SLOT_VALID && !c->slot.failed_resumes;
}
