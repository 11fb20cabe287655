/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Can the next boot resume what is written now? */
#include "host/checks/check.h"

#include "base/util.h"
#include "codec/codec.h"
#include "host/checks/initramfs.h"
#include "host/record.h"

#include <limits.h>
#include <stdio.h>
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

/* The i-th target that a boot looks at if its initramfs is as this machine is now; NULL behind
 * the last. */
static const char *listed(const struct preflight *p, uint32_t i)
{
	uint32_t count = p->config->target_count - p->config->unlisted;

	if (count)
		return i < count ? p->config->targets[i] : NULL;
	return i < p->pins.count ? p->pins.pins[i].target : NULL;
}

static bool looked_at(const struct initramfs *found, const char *name)
{
	for (uint32_t i = 0; i < found->target_count; i++)
		if (!strcmp(found->targets[i], name))
			return true;
	return false;
}

/* Neither has one that the other has not; in what order does not matter. */
static bool same_targets(const struct preflight *p, const struct initramfs *found)
{
	const char *name;
	uint32_t i;

	for (i = 0; (name = listed(p, i)); i++)
		if (!looked_at(found, name))
			return false;
	return i == found->target_count;
}

static void compare_targets(const struct preflight *p, const struct initramfs *found,
			    const char *path, struct finding *out)
{
	const char *name = config_candidate(p->config, p->candidate);

	if (!found->config)
		finding_set(out, FINDING_REFUSE,
			    "the configuration in the initramfs %s cannot be read, and so it looks "
			    "for no image: run update-initramfs -u -k all",
			    path);
	else if (!same_targets(p, found))
		finding_set(out, FINDING_REFUSE,
			    "the initramfs %s looks for images on other targets than those that "
			    "are set here: run update-initramfs -u -k all",
			    path);
	else if (name && !looked_at(found, name))
		finding_set(out, FINDING_REFUSE,
			    "no boot looks for an image on %s: say \"target = %s\" in " CONFIG_PATH
			    ", and run dormouse setup",
			    name, name);
	else
		finding_set(out, FINDING_OK, "%s looks where the image will be", path);
}

/* An image that is retired at once needs no boot. */
void check_boot_targets(const struct preflight *p, struct finding *out)
{
	struct initramfs found;
	char path[PATH_MAX];
	err_t e;

	preflight_initramfs(p, path, sizeof(path));
	e = initramfs_scan_cached(path, RECORD_DIR, &found);
	if (e) {
		finding_set(out, FINDING_SKIP, "%s cannot be looked at", path);
		err_free(e);
		return;
	}
	compare_targets(p, &found, path, out);
	if (out->level == FINDING_REFUSE && p->config->then == CONFIG_RETURN)
		out->level = FINDING_WARN;
}

static bool is_among(const char *names, const char *name)
{
	char text[CMDLINE_MAX], *rest = NULL;

	snprintf(text, sizeof(text), "%s", names);
	for (char *one = strtok_r(text, ",", &rest); one; one = strtok_r(NULL, ",", &rest))
		if (!strcmp(one, name))
			return true;
	return false;
}

/* By this boot's command line: the next one's may be another, so nothing is refused. */
void check_boot_cmdline(const struct preflight *p, struct finding *out)
{
	const char *name = config_candidate(p->config, p->candidate);
	const char *skip = cmdline_find(p->cmdline, "dormouse.noresume", NULL, 0)
				   ? "dormouse.noresume"
			   : cmdline_find(p->cmdline, "noresume", NULL, 0) ? "noresume"
									   : NULL;
	char targets[CMDLINE_MAX] = "";

	cmdline_find(p->cmdline, "dormouse.target", targets, sizeof(targets));
	if (p->config->then == CONFIG_RETURN)
		finding_set(out, FINDING_OK, "no boot is needed (then = return)");
	else if (skip)
		finding_set(out, FINDING_WARN,
			    "this kernel was booted with \"%s\": a boot with that passes by the "
			    "image. If it is in the boot loader's configuration, take it out",
			    skip);
	else if (*targets && name && !is_among(targets, name))
		finding_set(out, FINDING_WARN,
			    "this kernel was booted with dormouse.target=%s: a boot with that does "
			    "not look at %s. If it is in the boot loader's configuration, take it "
			    "out",
			    targets, name);
	else
		finding_set(out, FINDING_OK, "nothing there keeps a boot from the image");
}
