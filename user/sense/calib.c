/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/calib.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "wirewitness.skel.h"

static bool has_enumerator(const struct btf *btf, const char *enum_name, const char *name)
{
	int id = btf__find_by_name_kind(btf, enum_name, BTF_KIND_ENUM);
	const struct btf_type *t;
	const struct btf_enum *e;

	if (id < 0)
		return false;
	t = btf__type_by_id(btf, (__u32)id);
	e = btf_enum(t);
	for (unsigned i = 0; i < btf_vlen(t); i++) {
		if (strcmp(btf__name_by_offset(btf, e[i].name_off), name) == 0)
			return true;
	}
	return false;
}

/* Parameters of a BTF tracepoint behind its context pointer. */
static unsigned tracepoint_params(const struct btf *btf, const char *typedef_name)
{
	int id = btf__find_by_name_kind(btf, typedef_name, BTF_KIND_TYPEDEF);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, (__u32)id);

	while (t && (btf_is_typedef(t) || btf_is_ptr(t)))
		t = btf__type_by_id(btf, t->type);
	return t && btf_is_func_proto(t) && btf_vlen(t) > 0 ? btf_vlen(t) - 1u : 0;
}

static void free_btf(struct btf **b)
{
	btf__free(*b);
}

int ww_calib_run(struct ww_calib *ret_calib)
{
	libbpf_print_fn_t before = libbpf_set_print(NULL); /* "no BTF" is an answer here */
	WW_AUTO(free_btf) struct btf *btf = btf__load_vmlinux_btf();
	struct ww_calib c = {0};

	libbpf_set_print(before);
	if (!btf)
		return errno ? -errno : -ENOENT;
	c.task_btf = has_enumerator(btf, "bpf_func_id", "BPF_FUNC_get_current_task_btf");
	/* Came in the same release as the atomics and the two tracepoint helpers. */
	c.fetch_add = c.sk_in_tp = has_enumerator(btf, "bpf_func_id", "BPF_FUNC_check_mtu");
	c.loop = has_enumerator(btf, "bpf_func_id", "BPF_FUNC_loop");
	c.attach_cookie = has_enumerator(btf, "bpf_func_id", "BPF_FUNC_get_attach_cookie");
	c.uprobe_multi = has_enumerator(btf, "bpf_attach_type", "BPF_TRACE_UPROBE_MULTI");
	c.cgroup_unix = has_enumerator(btf, "bpf_attach_type", "BPF_CGROUP_UNIX_CONNECT");
	c.kern_ctx = btf__find_by_name_kind(btf, "bpf_cast_to_kern_ctx", BTF_KIND_FUNC) > 0;
	c.exit_group = tracepoint_params(btf, "btf_trace_sched_process_exit") >= 2;
	*ret_calib = c;
	return 0;
}

void ww_calib_apply(const struct ww_calib *c, struct ww_wirewitness *skel)
{
	skel->rodata->ww_has_fetch_add = c->fetch_add;
	skel->rodata->ww_has_task_btf = c->task_btf;
	skel->rodata->ww_has_task_storage = c->task_btf;
	skel->rodata->ww_has_sk_in_tp = c->sk_in_tp;
	skel->rodata->ww_has_loop = c->loop;
	skel->rodata->ww_has_exit_group = c->exit_group;
	skel->rodata->ww_has_kern_ctx = c->kern_ctx;
}
