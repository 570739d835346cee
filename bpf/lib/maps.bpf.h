/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* All maps, declared weak: every program file sees the same ones after linking. */
#pragma once

#include "lib/core.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, WW_RING_CONTROL_BYTES);
} ww_control __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, WW_RING_DATA_BYTES);
} ww_data __weak SEC(".maps");
