/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host/checks/preflight.h"

#include "base/io.h"
#include "base/log.h"
#include "base/util.h"
#include "host/checks/check.h"
#include "host/checks/machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

/* In this order: what comes later may rely on what comes before. */
const struct preflight_check preflight_checks[] = {
	{"root", check_kernel_root},
	{"processes", check_kernel_namespace},
	{"CPU", check_machine_cpu},
	{"lockdown", check_kernel_lockdown},
	{"kexec", check_kernel_kexec},
	{"kexec jump", check_kernel_jump},
	{"hibernation", check_kernel_hibernation},
	{"kernel's warnings", check_kernel_taint},
	{"memory map", check_machine_memory_map},
	{"memory encryption", check_machine_encryption},
	{"virtio-mem", check_machine_virtio_mem},
	{"free pages", check_kernel_free_fill},
	{"free memory", check_machine_free_memory},
	{"filesystems", check_machine_filesystems},
	{"codec", check_boot_codec},
	{"target", check_target_device},
	{"target place", check_target_place},
	{"target in use", check_target_free},
	{"target content", check_target_content},
	{"target size", check_target_size},
	{"other targets", check_target_others},
	{"writer", check_boot_writer},
	{"initramfs", check_boot_initramfs},
	{"encryption", check_keys_set_up},
	{"authentication", check_keys_authentication},
	{"target's key", check_keys_target},
	{"initramfs' keys", check_keys_initramfs},
	{"initramfs' targets", check_boot_targets},
	{"command line", check_boot_cmdline},
	{"tokens", check_tokens},
};
const size_t preflight_check_count = ARRAY_LEN(preflight_checks);

static uint64_t meminfo_bytes(const char *text, const char *name)
{
	const char *line = strstr(text, name);
	unsigned long long kib = 0;

	if (line)
		sscanf(line + strlen(name), " %llu", &kib);
	return kib * KIB;
}

err_t preflight_meminfo(struct preflight *p)
{
	CLEANUP_FREE char *text = NULL;
	size_t n;

	TRY(io_read_file("/proc/meminfo", 1 << 20, &text, &n));
	p->mem_total = meminfo_bytes(text, "MemTotal:");
	p->mem_free = meminfo_bytes(text, "MemFree:");
	p->mem_available = meminfo_bytes(text, "MemAvailable:");
	return NULL;
}

static void look_at_candidate(struct preflight *p, uint32_t i)
{
	const char *name = config_candidate(p->config, i);
	err_t e = NULL;

	location_deinit(&p->location);
	p->candidate = i;
	p->target_error[0] = '\0';
	if (!name || !*name)
		e = err_new(ERR_INVALID, "no target is set: run dormouse setup, or say \"target = "
					 "...\" in " CONFIG_PATH ", or --target DEVICE");
	else
		e = location_find(name, &p->location);
	if (e)
		snprintf(p->target_error, sizeof(p->target_error), "%s", err_text(e));
	err_free(e);
}

err_t preflight_choose_target(struct preflight *p, uint32_t from)
{
	err_t first = NULL;
	uint32_t i = from;

	do {
		struct finding why = {0};

		look_at_candidate(p, i);
		if (check_target_fits(p, &why)) {
			if (first)
				log_warn("%s: the target is %s instead", err_text(first),
					 p->location.name);
			err_free(first);
			return NULL;
		}
		first = err_first(first, err_new(ERR_REFUSED, "%s", why.text));
		i++;
	} while (config_candidate(p->config, i));
	look_at_candidate(p, from);
	return first;
}

err_t preflight_init(struct preflight *p, const struct config *config,
		     const struct writer_files *writer, err_t writer_error)
{
	err_t e;

	memset(p, 0, sizeof(*p));
	p->config = config;
	p->writer = writer;
	p->root = geteuid() == 0;
	if (writer_error)
		snprintf(p->writer_error, sizeof(p->writer_error), "%s", err_text(writer_error));
	e = machine_describe(&p->host);
	if (e)
		snprintf(p->host_error, sizeof(p->host_error), "%s", err_text(e));
	err_free(e);
	TRY(cmdline_read(p->cmdline, sizeof(p->cmdline)));
	TRY(pins_load(PINS_PATH, &p->pins));
	return preflight_meminfo(p);
}

void preflight_deinit(struct preflight *p)
{
	location_deinit(&p->location);
}

err_t preflight_run(const struct preflight *p)
{
	for (size_t i = 0; i < preflight_check_count; i++) {
		struct finding f = {0};

		preflight_checks[i].run(p, &f);
		if (f.level == FINDING_REFUSE)
			return err_new(ERR_REFUSED, "%s", f.text);
		if (f.level == FINDING_WARN)
			log_warn("%s", f.text);
	}
	return NULL;
}

void preflight_initramfs(const struct preflight *p, char *path, size_t n)
{
	struct utsname uts;

	if (p->config->initramfs[0])
		snprintf(path, n, "%s", p->config->initramfs);
	else if (!uname(&uts))
		snprintf(path, n, "/boot/initrd.img-%s", uts.release);
	else
		snprintf(path, n, "/boot/initrd.img");
}
