/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last bytes of a kernel's ring of messages, as text. */
#ifndef FORMATS_KERNELLOG_H
#define FORMATS_KERNELLOG_H

#include <stddef.h>
#include <stdint.h>

/*
 * ring: the bytes before the ring's head, oldest first; n is a multiple of 8. A
 * message is 8 bytes of its number, then its text, up to a multiple of 8
 * (kernel/printk/printk_ringbuffer.c, struct prb_data_block). How long the text is
 * stands elsewhere, so a line may have some letters too many or too few. The last
 * whole messages that fit into room bytes, a line each; nothing else than printable
 * ASCII. ring may hold anything.
 */
void kernellog_text(const uint8_t *ring, size_t n, char *out, size_t room);

#endif
