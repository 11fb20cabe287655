/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The images of the tests: number k is of a memory of its own, all of the same
 * layout and most of them stored as they are, so that what an older image left on
 * the disk looks just like what the newer one should find there.
 */
#ifndef CRASH_IMAGE_H
#define CRASH_IMAGE_H

#include "base/err.h"
#include "formats/slot.h"
#include "target/target.h"

#include <stdbool.h>
#include <stdint.h>

#define IMAGES_MAX 32u

void image_nonce(unsigned int number, uint8_t out[NONCE_BYTES]);

/* The number of an image by its nonce; IMAGES_MAX when it is none of them. */
unsigned int image_number(const uint8_t nonce[NONCE_BYTES]);

/* Is it one of those that are sealed? */
bool image_is_sealed(unsigned int number);

/* Write it with the real writer; slot as image_writer_run leaves it. begun: what
 * commit_begin has made of the slots. */
err_t image_write(const struct target *t, unsigned int number, const struct slot *begun,
		  struct slot *slot) ERR_CHECK;

/* A slot of the same image, written once, for slots that were begun anew. */
err_t image_again(unsigned int number, const struct slot *begun, struct slot *slot) ERR_CHECK;

/*
 * Everything that is done with an image before its memory is given control:
 * header, index, every chunk, all pages put back, and that a sealed one still has its
 * key. ERR_INVALID when all of it
 * says yes, and what came back is not the memory of that image.
 */
err_t image_check(const struct target *t, const struct slot *slot) ERR_CHECK;

#endif
