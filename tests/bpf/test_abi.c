/* SPDX-License-Identifier: Apache-2.0 */
/* The linked BPF object and this compiler must agree on every event and shared map value: the
 * object's own BTF says what the kernel side believes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bpf/btf.h>
#include <wirewitness/event.h>
#include <wirewitness/kernel.h>

#include "wirewitness.skel.h"

struct member {
	const char *type, *name;
	size_t offset, size;
};

#define M(t, m)                                                 \
	{                                                       \
#t, #m, offsetof(struct t, m), sizeof(struct t) \
	}

static const struct member members[] = {
	M(ww_event, version),
	M(ww_event, kind),
	M(ww_event, size),
	M(ww_event, time_ns),
	M(ww_event, seq),
	M(ww_event, cpu),
	M(ww_event, actor),
	M(ww_event, cgroup),
	M(ww_event, cookie),
	M(ww_actor_key, start_ns),
	M(ww_actor_key, pid),
	M(ww_actor_key, tid),
	M(ww_event_fork, parent),
	M(ww_event_exec, parent),
	M(ww_event_exec, exe_inode),
	M(ww_event_exec, exe_dev),
	M(ww_event_exec, uid),
	M(ww_event_exec, ns_pid),
	M(ww_event_exec, path_bytes),
	M(ww_event_exec, comm),
	M(ww_event_exec, path),
	M(ww_event_exit, code),
	M(ww_endpoint, addr),
	M(ww_endpoint, family),
	M(ww_endpoint, port),
	M(ww_event_flow, local),
	M(ww_event_flow, peer),
	M(ww_event_flow, netns),
	M(ww_event_flow, uid),
	M(ww_event_flow, proto),
	M(ww_event_flow, role),
	M(ww_event_flow, family),
	M(ww_event_flow, type),
	M(ww_event_counters, local),
	M(ww_event_counters, peer),
	M(ww_event_counters, bytes_sent),
	M(ww_event_counters, bytes_acked),
	M(ww_event_counters, bytes_received),
	M(ww_event_counters, bytes_retrans),
	M(ww_event_counters, segs_out),
	M(ww_event_counters, rtt_min_us),
	M(ww_event_counters, state_old),
	M(ww_event_counters, how),
	M(ww_event_counters, sk_err),
	M(ww_event_counters, records_exact),
	M(ww_event_hello, random),
	M(ww_event_hello, stream_offset),
	M(ww_event_hello, dir),
	M(ww_event_hello, client),
	M(ww_event_hello, captured),
	M(ww_event_hello, record_bytes),
	M(ww_event_hello, bytes),
	M(ww_event_record, stream_offset),
	M(ww_event_record, dir),
	M(ww_event_record, type),
	M(ww_event_record, index),
	M(ww_event_record, bytes),
	M(ww_session_key, random),
	M(ww_session_key, object),
	M(ww_session_key, pid),
	M(ww_session_key, file),
	M(ww_event_bind, session),
	M(ww_event_bind, dir),
	M(ww_event_session, session),
	M(ww_event_session, bytes_out),
	M(ww_event_session, bytes_in),
	M(ww_event_data, session),
	M(ww_event_data, offset),
	M(ww_event_data, call_bytes),
	M(ww_event_data, call_at),
	M(ww_event_data, captured),
	M(ww_event_data, requested),
	M(ww_event_data, lost_before),
	M(ww_event_data, dir),
	M(ww_event_data, bind),
	M(ww_event_data, last),
	M(ww_event_data, bytes),
	M(ww_event_unix, path_bytes),
	M(ww_event_unix, path),
	M(ww_event_packet, local),
	M(ww_event_packet, peer),
	M(ww_event_packet, offset),
	M(ww_event_packet, payload_bytes),
	M(ww_event_packet, captured),
	M(ww_event_packet, dir),
	M(ww_event_packet, what),
	M(ww_event_packet, proto),
	M(ww_event_packet, number),
	M(ww_event_packet, bytes),
	M(ww_scope_entry, slot),
	M(ww_loss_row, cause),
	M(ww_cpu_row, seq),
	M(ww_cpu_row, quarters),
};

static int object_open(void **state)
{
	*state = ww_wirewitness__open();
	return *state ? 0 : -1;
}

static int object_close(void **state)
{
	ww_wirewitness__destroy(*state);
	return 0;
}

static void test_members(void **state)
{
	struct ww_wirewitness *skel = *state;
	const struct btf *btf = bpf_object__btf(skel->obj);

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const struct member *m = &members[i];
		int id = btf__find_by_name_kind(btf, m->type, BTF_KIND_STRUCT);
		const struct btf_type *t;
		unsigned k;

		if (id < 0)
			fail_msg("struct %s is not in the object", m->type);
		t = btf__type_by_id(btf, (__u32)id);
		assert_int_equal(t->size, m->size);
		for (k = 0; k < btf_vlen(t); k++)
			if (strcmp(btf__name_by_offset(btf, btf_members(t)[k].name_off), m->name) ==
			    0)
				break;
		if (k == btf_vlen(t))
			fail_msg("struct %s has no member %s there", m->type, m->name);
		if (btf_member_bit_offset(t, k) != 8 * m->offset)
			fail_msg("%s.%s: bit %u there, byte %zu here", m->type, m->name,
				 btf_member_bit_offset(t, k), m->offset);
	}
}

/* The kernel cuts names at 15 characters; cut names hide programs from whoever looks for them. */
static void test_names(void **state)
{
	struct ww_wirewitness *skel = *state;
	struct bpf_program *p;
	struct bpf_map *m;

	bpf_object__for_each_program(p, skel->obj)
	{
		assert_true(strlen(bpf_program__name(p)) <= 15);
		assert_int_equal(strncmp(bpf_program__name(p), "ww_", 3), 0);
	}
	bpf_object__for_each_map(m, skel->obj)
		assert_true(bpf_map__is_internal(m) || strlen(bpf_map__name(m)) <= 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_members, object_open, object_close),
		cmocka_unit_test_setup_teardown(test_names, object_open, object_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
