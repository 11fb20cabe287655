/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/tools/tools.h"

#include "host/exitcode.h"

int tools_exit_code(err_t e)
{
	switch (e ? err_kind(e) : 0) {
	case 0:
		return EXITCODE_DONE;
	case ERR_FORMAT:
		return EXITCODE_FORMAT;
	case ERR_UNSUPPORTED:
		return EXITCODE_UNSUPPORTED;
	case ERR_CORRUPT:
		return EXITCODE_CORRUPT;
	case ERR_AUTH:
		return EXITCODE_AUTH;
	case ERR_INVALID:
		return EXITCODE_USAGE;
	case ERR_REFUSED:
		return EXITCODE_REFUSED;
	case ERR_ABORTED:
		return EXITCODE_ABORTED;
	default:
		return EXITCODE_FAILED;
	}
}
