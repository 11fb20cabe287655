/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NVMe's own multipath. A controller that says it may have others beside it in its
 * subsystem (CMIC, bit 1), as many laptops' do that have only one, has its disks shown by
 * a head: nvme0n1 beneath /sys/devices/virtual/nvme-subsystem, with nvme0c0n1 as the one
 * way to it, which is hidden (kernel source: drivers/nvme/host/multipath.c). A kernel
 * without multipath, as the writer is, shows each way as a disk.
 */
#ifndef HOST_NVMEHEAD_H
#define HOST_NVMEHEAD_H

enum nvmehead {
	NVMEHEAD_NONE,	  /* no such head */
	NVMEHEAD_SINGLE,  /* one way, to hardware of this machine: any kernel sees one disk */
	NVMEHEAD_SEVERAL, /* several ways */
	NVMEHEAD_FAR,	  /* none now, or over a network */
};

/* Of a whole disk, by its folder in /sys, a real path; sys: "/sys", or another in tests. */
enum nvmehead nvmehead_look(const char *sys, const char *folder);

#endif
