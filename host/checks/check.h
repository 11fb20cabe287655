/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The checks of preflight.c's table, by the file that they are in. */
#ifndef HOST_CHECK_H
#define HOST_CHECK_H

#include "host/checks/preflight.h"

/* check_kernel.c */
void check_kernel_root(const struct preflight *p, struct finding *out);
void check_kernel_namespace(const struct preflight *p, struct finding *out);
void check_kernel_lockdown(const struct preflight *p, struct finding *out);
void check_kernel_kexec(const struct preflight *p, struct finding *out);
void check_kernel_jump(const struct preflight *p, struct finding *out);
void check_kernel_hibernation(const struct preflight *p, struct finding *out);
void check_kernel_taint(const struct preflight *p, struct finding *out);
void check_kernel_free_fill(const struct preflight *p, struct finding *out);

/* check_machine.c */
void check_machine_cpu(const struct preflight *p, struct finding *out);
void check_machine_memory_map(const struct preflight *p, struct finding *out);
void check_machine_encryption(const struct preflight *p, struct finding *out);
void check_machine_virtio_mem(const struct preflight *p, struct finding *out);
void check_machine_free_memory(const struct preflight *p, struct finding *out);
void check_machine_filesystems(const struct preflight *p, struct finding *out);

/* check_target.c */
void check_target_device(const struct preflight *p, struct finding *out);
void check_target_place(const struct preflight *p, struct finding *out);
void check_target_free(const struct preflight *p, struct finding *out);
void check_target_content(const struct preflight *p, struct finding *out);
void check_target_size(const struct preflight *p, struct finding *out);
/* All of these: is there no obstacle? Otherwise *why is the first. */
bool check_target_fits(const struct preflight *p, struct finding *why);

/* check_others.c */
void check_target_others(const struct preflight *p, struct finding *out);

/* check_keys.c */
void check_keys_set_up(const struct preflight *p, struct finding *out);
void check_keys_authentication(const struct preflight *p, struct finding *out);
void check_keys_target(const struct preflight *p, struct finding *out);
void check_keys_initramfs(const struct preflight *p, struct finding *out);

/* check_tokens.c */
void check_tokens(const struct preflight *p, struct finding *out);

/* check_boot.c */
void check_boot_codec(const struct preflight *p, struct finding *out);
void check_boot_writer(const struct preflight *p, struct finding *out);
void check_boot_initramfs(const struct preflight *p, struct finding *out);
void check_boot_cmdline(const struct preflight *p, struct finding *out);
void check_boot_targets(const struct preflight *p, struct finding *out);

#endif
