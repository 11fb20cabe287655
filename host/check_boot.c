/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Can the next boot resume what is written now? */
#include "host/check.h"

#include "base/util.h"
#include "codec/codec.h"
#include "host/initramfs.h"
#include "host/record.h"

#include <limits.h>
#include <string.h>

void check_boot_codec(const struct preflight *p, struct finding *out)
{
	struct codec_choice choice;
	err_t e = codec_choice_parse(p->config->codec, &choice);

	if (e)
		finding_set(out, FINDING_REFUSE, "%s", err_text(e));
	else
		finding_set(out, FINDING_OK, "codec %s", p->config->codec);
	err_free(e);
}

void check_boot_writer(const struct preflight *p, struct finding *out)
{
	if (p->writer)
		finding_set(out, FINDING_OK, "the writer is there, %zu KiB",
			    (p->writer->vmlinux_bytes + p->writer->initrd_bytes) / KIB);
	else
		finding_set(out, FINDING_REFUSE, "%s", p->writer_error);
}

void check_boot_initramfs(const struct preflight *p, struct finding *out)
{
	char path[PATH_MAX];
	struct initramfs found;
	err_t e;

	if (!p->writer) {
		finding_set(out, FINDING_SKIP, "there is no writer to compare with");
		return;
	}
	preflight_initramfs(p, path, sizeof(path));
	e = initramfs_scan_cached(path, RECORD_DIR, &found);
	if (e)
		finding_set_err(out, FINDING_REFUSE, err_context(e, "the next boot's initramfs"));
	else if (!found.resume)
		finding_set(out, FINDING_REFUSE,
			    "the initramfs %s cannot resume: it has no dormouse hook "
			    "(update-initramfs -u -k all, or set \"initramfs\")",
			    path);
	else if (!found.writer)
		finding_set(out, FINDING_REFUSE,
			    "the initramfs %s cannot resume: the writer is not in it "
			    "(update-initramfs -u -k all)",
			    path);
	else if (memcmp(found.sha256, p->writer->sha256, sizeof(found.sha256)))
		finding_set(out, FINDING_REFUSE,
			    "the initramfs %s has another version of the writer "
			    "(update-initramfs -u -k all)",
			    path);
	else
		finding_set(out, FINDING_OK, "%s can resume", path);
}
