/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this kernel trusts its free pages to hold. */
#ifndef HOST_FREEFILL_H
#define HOST_FREEFILL_H

#include "formats/hostinfo.h"
#include "host/checks/kconfig.h"

/* kc->text may be NULL: not known. cmdline: /proc/cmdline. */
enum free_fill freefill_decide(const struct kconfig *kc, const char *cmdline);

/* For people: "are zero (init_on_free)", ... */
const char *freefill_text(enum free_fill fill);

#endif
