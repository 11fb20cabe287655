/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IMAGEWRITER_DEVICE_H
#define IMAGEWRITER_DEVICE_H

#include "base/err.h"
#include "formats/handoff.h"
#include "target/target.h"

/*
 * The target of the handoff, whatever this kernel calls it: the one block device
 * of that size whose slots, and extent map where it is found by one, carry the image's
 * nonce. Waits for slow buses.
 * ERR_IO when none appears, ERR_REFUSED when two claim to be it.
 */
err_t device_find(const struct handoff *h, struct target *out) ERR_CHECK;

#endif
