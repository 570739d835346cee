/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What every program file includes first: kernel types, helpers, the event ABI. */
#pragma once

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include <wirewitness/event.h>
