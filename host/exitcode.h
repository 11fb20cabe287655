/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `dormouse` ends with; printed by --help. */
#ifndef HOST_EXITCODE_H
#define HOST_EXITCODE_H

enum exitcode {
	EXITCODE_DONE = 0,    /* resumed, or returned as asked */
	EXITCODE_FAILED = 1,  /* failed; the session goes on */
	EXITCODE_USAGE = 2,   /* wrong arguments or configuration */
	EXITCODE_REFUSED = 3, /* refused before anything was changed */
	EXITCODE_GAVE_UP = 4, /* the writer gave up and jumped back */
	EXITCODE_ABORTED = 5, /* by a key while the image was written, or a signal before */

	/* Of what reads an image or a dump: */
	EXITCODE_FORMAT = 6,	  /* there is none */
	EXITCODE_UNSUPPORTED = 7, /* it is whole, and of a newer version or another kind */
	EXITCODE_CORRUPT = 8,	  /* it is damaged */
	EXITCODE_AUTH = 9,	  /* it is not authentic, or sealed and nothing opened it */
};

#endif
