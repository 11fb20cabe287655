/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entry stub: where relocate_kernel arrives, and from where the writer kernel
 * starts. Copied to the first page of the main window; position independent.
 *
 *   1. Keep the jump-back entry: relocate_kernel calls us, so it is our return
 *      address (arch/x86/kernel/relocate_kernel_64.S).
 *   2. When the paging mode is not the wanted one, change it. LA57 can only be
 *      changed with paging off, so: to 32-bit code, paging off, CR4, our own
 *      identity map, paging on, back to 64-bit code (Intel SDM 3A, 4.1.2).
 *   3. Enter startup_64 with boot_params in %rsi (Documentation/arch/x86/boot.rst,
 *      "64-bit Boot Protocol"), interrupts off, in an identity map.
 *
 * All of it lies below 4 GiB, which the 32-bit part needs.
 */
#include "jump/control.h"
#include "jump/identitymap.inc"

#define CR0_PG	   0x80000000

	.section .rodata.entry_stub, "a"
	.code64
	.globl entry_stub_start, entry_stub_end
	.balign 16
entry_stub_start:
	cli
	cld
	leaq	entry_stub_start(%rip), %rbx
	leaq	MAILBOX_OFFSET(%rbx), %rbp
	movq	(%rsp), %rax
	movq	%rax, MAILBOX_ENTRY_AT(%rbp)
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	movq	%rax, MAILBOX_TSC_AT(%rbp)

	/* The mode is right? */
	movq	%cr4, %rax
	shrq	$CR4_LA57_BIT, %rax
	andl	$1, %eax
	cmpq	MAILBOX_LA57_AT(%rbp), %rax
	je	enter

	/* Identity map of 512 GiB: top table (5 levels), next, 1 GiB pages. */
	movq	MAILBOX_TABLES_AT(%rbp), %rdi
	leaq	0x1000(%rdi), %rsi
	leaq	0x2000(%rdi), %rcx
	identity_map
	/* With 4 levels the second table is the top. */
	cmpq	$0, MAILBOX_LA57_AT(%rbp)
	cmoveq	%rsi, %rdi

	/* A GDT with 32-bit and 64-bit code, a stack, and over to 32-bit code. */
	leaq	gdt(%rip), %rax
	movq	%rax, gdt_pointer+2(%rip)
	lgdt	gdt_pointer(%rip)
	leaq	stack_end(%rip), %rsp
	leaq	compat(%rip), %rax
	pushq	$0x08
	pushq	%rax
	lretq

	.code32
compat:
	movl	$0x18, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%cr0, %eax
	andl	$~CR0_PG, %eax
	movl	%eax, %cr0
	movl	%edi, %cr3
	movl	%cr4, %eax
	xorl	$(1 << CR4_LA57_BIT), %eax
	movl	%eax, %cr4
	movl	%cr0, %eax
	orl	$CR0_PG, %eax
	movl	%eax, %cr0	/* EFER.LME is still set: long mode again */
	leal	(long_again - entry_stub_start)(%ebx), %eax
	pushl	$0x10
	pushl	%eax
	lretl

	.code64
long_again:
	movl	%ebp, %ebp	/* what was above bit 31 is undefined by now */

enter:
	movq	MAILBOX_PARAMS_AT(%rbp), %rsi
	movq	MAILBOX_KERNEL_AT(%rbp), %rax
	xorl	%edi, %edi
	jmp	*%rax

	.balign 8
gdt:
	.quad	0
	.quad	0x00cf9a000000ffff	/* 0x08: 32-bit code */
	.quad	0x00af9a000000ffff	/* 0x10: 64-bit code */
	.quad	0x00cf92000000ffff	/* 0x18: data */
gdt_pointer:
	.word	. - gdt - 1
	.quad	0
	.balign 16
	.skip	64
stack_end:
entry_stub_end:

	.section .note.GNU-stack, "", @progbits
