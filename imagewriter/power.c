/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "imagewriter/power.h"

#include "base/log.h"

#include <sys/reboot.h>
#include <unistd.h>

void power_off(void)
{
	reboot(RB_POWER_OFF);
	log_warn("the machine does not switch itself off: please do it now");
	for (;;)
		pause();
}

void power_reboot(unsigned int after_seconds)
{
	sleep(after_seconds);
	reboot(RB_AUTOBOOT);
	log_warn("the machine does not reboot by itself: please switch it off and on");
	for (;;)
		pause();
}
