/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PID 1 of the writer kernel: reads the handoff, does what it says. */
#include "base/io.h"
#include "base/log.h"
#include "base/util.h"
#include "formats/handoff.h"
#include "imagewriter/console.h"
#include "imagewriter/host.h"
#include "imagewriter/modes.h"
#include "imagewriter/power.h"

#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <x86intrin.h>

#define READ_TIME 10 /* seconds to read a message in before a reboot */

static err_t mount_system(void)
{
	static const struct {
		const char *type, *at;
	} mounts[] = {{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}};

	for (size_t i = 0; i < ARRAY_LEN(mounts); i++)
		if (mount(mounts[i].type, mounts[i].at, mounts[i].type, 0, NULL))
			return err_errno("mounting %s", mounts[i].at);
	return NULL;
}

/* How long ago the entry stub ran, by the time stamp counter. */
static double seconds_since(uint64_t tsc)
{
	CLEANUP_FREE char *text = NULL;
	double mhz = 0;
	const char *line;
	size_t n;
	uint64_t now = __rdtsc();
	err_t e = io_read_file("/proc/cpuinfo", 1 << 20, &text, &n);

	if (e) {
		err_free(e);
		return 0;
	}
	line = strstr(text, "cpu MHz");
	if (!line || sscanf(strchr(line, ':') + 1, "%lf", &mhz) != 1 || mhz <= 0 || now < tsc)
		return 0;
	return (double)(now - tsc) / (mhz * 1e6);
}

static err_t read_handoff(struct handoff *h)
{
	CLEANUP_FREE char *buf = NULL;
	size_t n;
	err_t e;

	TRY(io_read_file(HANDOFF_PATH, HANDOFF_MAX, &buf, &n));
	e = handoff_decode((const uint8_t *)buf, n, h);
	explicit_bzero(buf, n); /* there may be keys in it */
	return e;
}

static err_t run(struct handoff *h)
{
	uint64_t entry, tsc;

	TRY(mount_system());
	TRY(read_handoff(h));
	log_put_first(h->boot_log);
	TRY(host_read_mailbox(h->mailbox, &entry, &tsc));
	log_info("started %.2f s after the kernel's entry", seconds_since(tsc));
	if (h->mode == HANDOFF_HIBERNATE)
		hibernate_run(h, entry);
	restore_run(h);
}

int main(void)
{
	static struct handoff h; /* large, and there as long as we are */
	err_t e;

	console_never_wait();
	log_init("imagewriter");
	log_info("hello");
	e = run(&h);
	log_warn("%s", err_text(e));
	power_reboot(READ_TIME);
}
