/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/doctor.h"

#include "base/util.h"
#include "host/checks/preflight.h"
#include "host/disks/keptsector.h"

#include <stdio.h>

static err_t print_checks(const struct preflight *p)
{
	static const char *const marks[] = {
		[FINDING_OK] = "ok     ",
		[FINDING_WARN] = "warning",
		[FINDING_REFUSE] = "NO     ",
		[FINDING_SKIP] = "-      ",
	};
	size_t refused = 0;

	for (size_t i = 0; i < preflight_check_count; i++) {
		struct finding f = {0};

		preflight_checks[i].run(p, &f);
		printf("%s  %-18s %s\n", marks[f.level], preflight_checks[i].name, f.text);
		refused += f.level == FINDING_REFUSE;
	}
	if (refused)
		return err_new(ERR_REFUSED,
			       "this machine cannot hibernate as it is: %zu of %zu checks failed",
			       refused, preflight_check_count);
	printf("this machine can hibernate\n");
	return NULL;
}

err_t doctor_print(const struct config *config)
{
	CLEANUP_FREE struct preflight *p = calloc(1, sizeof(*p));
	struct writer_files writer = {0};
	err_t no_writer, e;

	if (!p)
		return err_new(ERR_NOMEM, "no memory");
	keptsector_put_back(NULL);
	no_writer = writer_files_load(config->writer_dir, &writer);
	e = preflight_init(p, config, no_writer ? NULL : &writer, no_writer);
	err_free(no_writer);
	if (!e) {
		/* The checks tell of one that does not fit. */
		err_free(preflight_choose_target(p, 0));
		e = print_checks(p);
	}
	preflight_deinit(p);
	writer_files_free(&writer);
	return e;
}
