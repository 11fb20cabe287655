/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control area: the first 64 KiB of the main window. It is not the writer
 * kernel's RAM (its e820 says reserved), so what lies there stays: the entry
 * stub with its mailbox, boot_params, the command line, and room for the way
 * back. Also read by assembly: only defines outside of __ASSEMBLER__.
 */
#ifndef JUMP_CONTROL_H
#define JUMP_CONTROL_H

/* Byte offsets in the main window. */
#define CONTROL_STUB	    0x0000 /* entry stub: code and mailbox, one page */
#define CONTROL_BOOT_PARAMS 0x1000
#define CONTROL_CMDLINE	    0x2000
#define CONTROL_TABLES	    0x3000 /* entry stub: identity map, three pages */
#define CONTROL_TRAMPOLINE  0x8000 /* TRAMPOLINE_BYTES */
#define CONTROL_BYTES	    0x10000
#define CONTROL_KERNEL	    0x200000 /* the writer kernel: 2 MiB aligned, as it must be */

/* The mailbox, at the end of the stub's page. */
#define MAILBOX_OFFSET	  0xe00
#define MAILBOX_MAGIC	  0x584f424c49414d44 /* "DMAILBOX" */
#define MAILBOX_MAGIC_AT  0x00
#define MAILBOX_ENTRY_AT  0x08 /* out: jump-back entry; 0 after a plain kexec */
#define MAILBOX_TSC_AT	  0x10 /* out: time stamp counter at the stub's first instructions */
#define MAILBOX_KERNEL_AT 0x18 /* in: physical address of startup_64 */
#define MAILBOX_PARAMS_AT 0x20 /* in: of boot_params */
#define MAILBOX_TABLES_AT 0x28 /* in: of three zeroed pages below 4 GiB */
#define MAILBOX_LA57_AT	  0x30 /* in: paging mode to enter the kernel in: 1 for 5 levels */
#define MAILBOX_BYTES	  0x38

/* The way back: code and entry, three tables, then what follows. */
#define TRAMPOLINE_BYTES	 0x8000
#define TRAMPOLINE_ENTRY_AT	 0xff8	/* where to jump */
#define TRAMPOLINE_FUNCTIONS_AT	 0x4000 /* as port 0xcf8 takes them, zero at the end */
#define TRAMPOLINE_STEPS_AT	 0x5000 /* struct trampoline_step, the last one zero */
#define TRAMPOLINE_STACK_AT	 0x7000
#define TRAMPOLINE_FUNCTIONS_MAX 1023
#define TRAMPOLINE_STEPS_MAX	 160

/* What a step is (jump/trampoline.h) */
#define STEP_END   0
#define STEP_WIPE  1
#define STEP_RING  2
#define STEP_OUT8  3
#define STEP_OUT16 4
#define STEP_OUT32 5
#define STEP_STOP  6
#define STEP_WAIT  7
#define STEP_BYTES 0x30

/* PCI configuration by ports, which reaches domain 0 */
#define PCI_CONFIG_ADDRESS 0xcf8
#define PCI_CONFIG_DATA	   0xcfc
#define PCI_CONFIG_ENABLE  0x80000000
#define PCI_COMMAND_AT	   0x04
#define PCI_BUS_MASTER	   0x0004 /* in the command register */

#endif
