/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "imagewriter/power.h"

#include "base/log.h"

#include <sys/reboot.h>
#include <unistd.h>

void power_off(void)
{
	reboot(RB_POWER_OFF);
	/* Never back into the host: its image is valid. */
	log_warn("the machine does not switch itself off: resetting it, which resumes");
	power_reboot(0);
}

void power_reboot(unsigned int after_seconds)
{
	sleep(after_seconds);
	reboot(RB_AUTOBOOT);
	log_warn("the machine does not reboot by itself: please switch it off and on");
	for (;;)
		pause();
}
