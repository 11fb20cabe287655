/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How far a run has come, as a line for people. */
#ifndef IMAGE_PROGRESS_H
#define IMAGE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image_progress {
	uint64_t done_pages; /* of the source, in whatever class; reading: of the image */
	uint64_t total_pages;
	uint64_t data_pages; /* stored, or placed, so far */
	uint64_t written;    /* bytes that reached the target; reading: that came from it */
};

/*
 * "writing [####....]  40 %  312 MiB, 160 MiB/s, 3 s left", without newline, padded
 * so that it covers the line before it. last: "... in 4.1 s".
 */
void progress_line(char *out, size_t n, const char *verb, const struct image_progress *p,
		   double seconds, bool last);

#endif
