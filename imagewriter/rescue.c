/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "imagewriter/rescue.h"

#include "base/log.h"
#include "base/util.h"
#include "formats/report.h"
#include "imagewriter/dma.h"
#include "imagewriter/host.h"
#include "imagewriter/ownlog.h"
#include "imagewriter/power.h"
#include "jump/iomem.h"
#include "jump/trampoline.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static err_t set_kernel(const char *name, const char *value)
{
	char path[128];
	CLEANUP_CLOSE int fd = -1;

	snprintf(path, sizeof(path), "/proc/sys/kernel/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		return err_errno("setting %s", path);
	return NULL;
}

/* What the kernel sees of a bug or a hang is to be a panic. */
static err_t make_hangs_panic(void)
{
	static const char *const names[] = {"panic_on_oops", "hardlockup_panic", "softlockup_panic",
					    "unknown_nmi_panic"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		TRY(set_kernel(names[i], "1"));
	return NULL;
}

/* The kernel's last messages go into the report's last page, wherever that is now. */
static void add_kernel_log(struct trampoline *t, const struct hostmem *mem,
			   const struct hostinfo *host)
{
	uint64_t to = 0;
	struct ownlog log;
	err_t e = ownlog_find(&log);

	if (!e)
		e = exchanged_where(&mem->exchanged,
				    host->report[REPORT_KERNEL_LOG_AT / PAGE_BYTES], &to);
	if (!e)
		trampoline_copy_ring(t, log.ring, log.bytes, log.head,
				     to + REPORT_KERNEL_LOG_AT % PAGE_BYTES,
				     REPORT_KERNEL_LOG_BYTES);
	else
		log_warn("a panic would leave no message: %s", err_text(e));
	err_free(e);
}

err_t rescue_arm(struct hostmem *mem, const struct handoff *h, uint64_t entry,
		 const struct watchdog *watchdog)
{
	struct range_list room;
	struct trampoline t;

	if (!iomem_find("Crash kernel", &room) ||
	    room.r[0].end - room.r[0].start < 2 * TRAMPOLINE_BYTES)
		return err_new(ERR_REFUSED, "no memory is reserved for the way back from a panic");
	trampoline_init(&t, room.r[0].start, entry);
	add_kernel_log(&t, mem, &h->host);
	dma_add_steps("/sys/bus/pci/devices", &t);
	watchdog_add_steps(watchdog, &t);
	trampoline_wipe(&t, &h->host.windows);
	rescue_leave_word(mem, &h->host);
	TRY(trampoline_arm(&t));
	return make_hangs_panic();
}

void rescue_leave_word(struct hostmem *mem, const struct hostinfo *host)
{
	struct report report = {.result = REPORT_CRASHED};
	err_t e;

	snprintf(report.log, sizeof(report.log), "%s", log_tail());
	e = host_report(mem, host, &report);
	if (e)
		log_warn("no word left for the host: %s", err_text(e));
	err_free(e);
}

err_t rescue_disarm(void)
{
	TRY(set_kernel("sysrq", "0"));
	return trampoline_disarm();
}

void rescue_panic(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	/* Whatever the mask says, which is for keyboards. */
	if (fd < 0 || write(fd, "c", 1) != 1)
		log_warn("no panic: %m");
	power_reboot(0);
}
