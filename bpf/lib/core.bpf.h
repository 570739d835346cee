/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What every program file includes first: kernel types, helpers, the event ABI, and the settings
 * that the loader writes before the programs are loaded. The verifier sees settings as constants:
 * a branch that a setting switches off may hold helpers that this kernel does not have.
 */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include <wirewitness/event.h>
#include <wirewitness/kernel.h>

#define AF_UNIX      1
#define AF_INET      2
#define AF_INET6     10
#define SOCK_STREAM_ 1
#define SOCK_DGRAM_  2
#define SOCK_RAW_    3

#define ww_barrier(x) asm volatile("" : "+r"(x))

/* Plaintext bytes copied per TLS call. */
const volatile __u32 ww_cap_bytes __weak = WW_MESSAGE_BYTES_DEFAULT;
/* The daemon's own process is never observed. */
const volatile __u32 ww_own_pid __weak = 0;
/* Bytes of a ring between two wake-ups. */
const volatile __u64 ww_wake_bytes[WW_RING_MAX] __weak = {WW_RING_CONTROL_BYTES / 4,
							  WW_RING_DATA_BYTES / 4};
/* Rows of ww_cpus. */
const volatile __u32 ww_cpu_count __weak = 1;

/* What this kernel has, by calibration. */
const volatile bool ww_has_fetch_add __weak = true;    /* 5.12: atomics that return a value */
const volatile bool ww_has_task_btf __weak = true;     /* 5.11: bpf_get_current_task_btf */
const volatile bool ww_has_task_storage __weak = true; /* 5.11: in uprobes */
const volatile bool ww_has_sk_in_tp __weak = true;     /* 5.12: sk storage and cookie in tp_btf */
const volatile bool ww_has_loop __weak = true;         /* 5.17: bpf_loop */
const volatile bool ww_has_exit_group __weak =
	false; /* 6.16: second argument of the exit tracepoint */
const volatile bool ww_has_kern_ctx __weak = false; /* 6.2: bpf_cast_to_kern_ctx */

/* Changed at run time by the loader. */
volatile __u32 ww_generation __weak = 0; /* the scope changed: cached decisions are void */
volatile __u32 ww_prefix_on __weak = 0;  /* sessions without a socket exist: look at ciphertext */
