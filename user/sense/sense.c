/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/sense.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "base/clock.h"
#include "sense/calib.h"
#include "sense/event_check.h"
#include "sense/guard.h"
#include "sense/probe.h"
#include "sense/ring.h"
#include "sense/scope.h"
#include "wirewitness.skel.h"

/* Attach types that came after Debian 12's header (include/uapi/linux/bpf.h). */
#define CGROUP_UNIX_CONNECT_TYPE 49 /* 6.7 */
#define CGROUP_UNIX_SENDMSG_TYPE 50
#define TRACE_UPROBE_MULTI_TYPE  48 /* 6.6 */

#define HOST_LINKS_MAX 16

struct ww_sense {
	struct ww_wirewitness *skel;
	struct ww_calib calib;
	char mount[WW_CGROUP_PATH_MAX];
	struct ww_ring rings[WW_RING_MAX];
	uint64_t horizon_ns;
	uint64_t malformed;
	int epoll_fd;
	struct ww_scopes scopes;
	struct ww_probe_programs programs[WW_TLS_STACKS];
	unsigned probe_count;
	struct ww_probes *probes[WW_TLS_FILES_MAX];
	bool prefix_on;
	unsigned link_count;
	struct bpf_link *links[HOST_LINKS_MAX];
	struct bpf_link *stat_link;
	struct bpf_link *sockets_link;
	struct ww_guard_bpf *guard;       /* NULL: off */
	const struct ww_loss_row *losses; /* mapped */
	size_t losses_bytes;
	const struct ww_cpu_row *cpus; /* mapped */
	size_t cpus_bytes;
	struct ww_loss_row told[WW_SCOPES_MAX + 1]; /* by slot: what was reported */
	int64_t holes_told[WW_RING_MAX];
};

static int say(char *why, int r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int say(char *why, int r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, WW_SENSE_WHY_MAX, fmt, ap);
	va_end(ap);
	return r;
}

/* --- loading
 * --------------------------------------------------------------------------------------- */

static const struct {
	const char *section;
	uint32_t attach_type;
	uint32_t covers;
} cgroup_sections[] = {
	{"cgroup/connect4", BPF_CGROUP_INET4_CONNECT, WW_COVERS_TCP},
	{"cgroup/connect6", BPF_CGROUP_INET6_CONNECT, WW_COVERS_TCP},
	{"cgroup/sendmsg4", BPF_CGROUP_UDP4_SENDMSG, WW_COVERS_UDP},
	{"cgroup/sendmsg6", BPF_CGROUP_UDP6_SENDMSG, WW_COVERS_UDP},
	{"cgroup/sock_create", BPF_CGROUP_INET_SOCK_CREATE, WW_COVERS_RAW},
	{"cgroup/sock_release", BPF_CGROUP_INET_SOCK_RELEASE, WW_COVERS_UDP},
	{"cgroup_skb/egress", BPF_CGROUP_INET_EGRESS, WW_COVERS_TCP | WW_COVERS_UDP},
	{"cgroup_skb/ingress", BPF_CGROUP_INET_INGRESS, WW_COVERS_TCP | WW_COVERS_UDP},
	{"cgroup_unix/connect", CGROUP_UNIX_CONNECT_TYPE, WW_COVERS_UNIX},
	{"cgroup_unix/sendmsg", CGROUP_UNIX_SENDMSG_TYPE, WW_COVERS_UNIX},
};

static bool section_is(const struct bpf_program *p, const char *prefix)
{
	return strncmp(bpf_program__section_name(p), prefix, strlen(prefix)) == 0;
}

/*
 * Before 5.12 a kernel refuses atomics that return a value even where it is told never to go. The
 * branch stays dead, its instruction becomes one that is known.
 */
static int drop_fetching(struct bpf_program *p)
{
	size_t count = bpf_program__insn_cnt(p);
	WW_AUTO_FREE struct bpf_insn *insns = malloc(count * sizeof(*insns));

	if (!insns)
		return -ENOMEM;
	memcpy(insns, bpf_program__insns(p), count * sizeof(*insns));
	for (size_t i = 0; i < count; i++) {
		if (insns[i].code == (BPF_STX | BPF_ATOMIC | BPF_DW) &&
		    insns[i].imm == (BPF_ADD | BPF_FETCH))
			insns[i].imm = BPF_ADD;
	}
	return bpf_program__set_insns(p, insns, count);
}

/* What libbpf cannot know of programs for newer kernels, and what this kernel cannot load. */
static int prepare_programs(struct ww_sense *s)
{
	struct bpf_program *p;
	int r = 0;

	bpf_object__for_each_program(p, s->skel->obj)
	{
		if (section_is(p, "cgroup_unix/")) {
			bpf_program__set_type(p, BPF_PROG_TYPE_CGROUP_SOCK_ADDR);
			bpf_program__set_expected_attach_type(
				p, (enum bpf_attach_type)(section_is(p, "cgroup_unix/connect")
								  ? CGROUP_UNIX_CONNECT_TYPE
								  : CGROUP_UNIX_SENDMSG_TYPE));
			if (!s->calib.cgroup_unix)
				bpf_program__set_autoload(p, false);
		} else if ((section_is(p, "uprobe") && !s->calib.attach_cookie) ||
			   (section_is(p, "iter/task_file") && !s->calib.task_btf)) {
			bpf_program__set_autoload(p, false);
		} else if (p == s->skel->progs.ww_stdio_done && !s->calib.uprobe_multi) {
			bpf_program__set_autoload(p, false);
		} else if (section_is(p, "uprobe") && s->calib.uprobe_multi) {
			bpf_program__set_expected_attach_type(
				p, (enum bpf_attach_type)TRACE_UPROBE_MULTI_TYPE);
		}
		if (!s->calib.fetch_add && r == 0)
			r = drop_fetching(p);
	}
	return r;
}

static int prepare_maps(struct ww_sense *s, const struct ww_sense_config *cfg)
{
	uint32_t ring = cfg->ring_bytes ? cfg->ring_bytes : WW_RING_DATA_BYTES;
	int cpus = libbpf_num_possible_cpus();
	int r;

	if (cpus < 1)
		return -EIO;
	if ((ring & (ring - 1)) != 0 || ring % (uint32_t)sysconf(_SC_PAGESIZE) != 0 ||
	    cfg->cap_bytes > WW_CHUNKS_PER_CALL_MAX * WW_CHUNK_BYTES_MAX)
		return -EINVAL;
	if (!s->calib.task_btf)
		bpf_map__set_autocreate(s->skel->maps.ww_threads, false);
	r = bpf_map__set_max_entries(s->skel->maps.ww_data, ring);
	if (r == 0)
		r = bpf_map__set_max_entries(s->skel->maps.ww_cpus, (uint32_t)cpus);
	s->skel->rodata->ww_cpu_count = (uint32_t)cpus;
	s->skel->rodata->ww_own_pid = (uint32_t)getpid();
	s->skel->rodata->ww_cap_bytes = cfg->cap_bytes ? cfg->cap_bytes : WW_MESSAGE_BYTES_DEFAULT;
	s->skel->rodata->ww_wake_bytes[WW_RING_DATA] = ring / 4;
	ww_calib_apply(&s->calib, s->skel);
	return r;
}

/* What libbpf said of the first program or map that the kernel refused. One load at a time. */
static char refused[96];

static int hear(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char text[256];

	if (level != LIBBPF_WARN || refused[0])
		return 0;
	vsnprintf(text, sizeof(text), fmt, ap);
	if (!strstr(text, "failed to load:") && !strstr(text, "failed to create:"))
		return 0;
	text[strcspn(text, "\n")] = '\0';
	snprintf(refused, sizeof(refused), "%.*s", (int)sizeof(refused) - 1,
		 text + (strncmp(text, "libbpf: ", 8) == 0 ? 8 : 0));
	return 0;
}

static int explain_load(int r, char *why)
{
	if (r == -EPERM)
		return say(why, -EPERM,
			   "no right to load BPF programs: run as root, or with CAP_BPF, "
			   "CAP_PERFMON, CAP_NET_ADMIN and "
			   "CAP_SYS_PTRACE, outside of a sandbox that forbids bpf(2)");
	return say(
		why, r,
		"the kernel refused the BPF programs (%s): %s; needed is Linux 5.10 or later with "
		"CONFIG_CGROUP_BPF, CONFIG_BPF_EVENTS and CONFIG_UPROBES",
		refused[0] ? refused : "no detail", strerror(-r));
}

static int load(struct ww_sense *s, const struct ww_sense_config *cfg, char *why)
{
	struct rlimit lim = {RLIM_INFINITY, RLIM_INFINITY};
	int r;

	if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		return say(why, -ENOENT,
			   "this kernel has no BTF (/sys/kernel/btf/vmlinux): it needs "
			   "CONFIG_DEBUG_INFO_BTF=y, as "
			   "distribution kernels since 5.10 have");
	r = ww_scope_mount(s->mount, sizeof(s->mount));
	if (r < 0)
		return say(why, -ENOTSUP,
			   "no cgroup v2 is mounted, only v1: mount it beside with `mkdir -p "
			   "/sys/fs/cgroup/unified && "
			   "mount -t cgroup2 none /sys/fs/cgroup/unified`");
	refused[0] = '\0';
	libbpf_set_print(hear);                /* what went wrong is said once, in words, by us */
	(void)setrlimit(RLIMIT_MEMLOCK, &lim); /* needed before 5.11 only */
	r = ww_calib_run(&s->calib);
	if (r < 0)
		return explain_load(r, why);
	s->skel = ww_wirewitness__open();
	if (!s->skel)
		return say(why, -errno, "cannot open the BPF object: %s", strerror(errno));
	r = prepare_programs(s);
	if (r < 0)
		return say(why, r, "cannot prepare the BPF programs: %s", strerror(-r));
	r = prepare_maps(s, cfg);
	if (r < 0)
		return say(why, r,
			   "the ring must be a power of two of at least a page, "
			   "the cap per call at most 4 MiB: %s",
			   strerror(-r));
	r = ww_wirewitness__load(s->skel);
	return r < 0 ? explain_load(r, why) : 0;
}

/* --- attaching what is host-wide
 * ---------------------------------------------------------------------- */

static void add_cgroup_program(struct ww_sense *s, struct bpf_program *p)
{
	for (unsigned i = 0; i < WW_ARRAY_SIZE(cgroup_sections); i++) {
		if (strcmp(bpf_program__section_name(p), cgroup_sections[i].section) != 0 ||
		    s->scopes.program_count >= WW_SCOPE_PROGRAMS_MAX || bpf_program__fd(p) < 0)
			continue;
		s->scopes.programs[s->scopes.program_count++] = (struct ww_scope_program){
			p, cgroup_sections[i].attach_type, cgroup_sections[i].covers, false};
	}
}

/* Two walks: of the sockets that have our storage, and of everybody's descriptors. Optional. */
static void attach_iterators(struct ww_sense *s)
{
	union bpf_iter_link_info info = {.map.map_fd =
						 (uint32_t)bpf_map__fd(s->skel->maps.ww_flows)};
	LIBBPF_OPTS(bpf_iter_attach_opts, o, .link_info = &info, .link_info_len = sizeof(info));

	s->stat_link = bpf_program__attach_iter(s->skel->progs.ww_stat, &o);
	if (bpf_program__fd(s->skel->progs.ww_sockets) >= 0)
		s->sockets_link = bpf_program__attach_iter(s->skel->progs.ww_sockets, NULL);
}

static int attach_host(struct ww_sense *s, char *why)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, s->skel->obj)
	{
		if (section_is(p, "cgroup")) {
			add_cgroup_program(s, p);
		} else if ((section_is(p, "tp_btf/") || section_is(p, "raw_tp/")) &&
			   bpf_program__fd(p) >= 0) {
			if (s->link_count >= HOST_LINKS_MAX)
				return say(why, -ENOSPC, "more tracepoint programs than expected");
			s->links[s->link_count] = bpf_program__attach(p);
			if (!s->links[s->link_count])
				return say(why, -errno, "cannot attach %s: %s",
					   bpf_program__section_name(p), strerror(errno));
			s->link_count++;
		}
	}
	return 0;
}

/* The memory of an array map that the kernel side counts in. */
static int map_array(const struct bpf_map *map, size_t value_bytes, size_t *ret_bytes,
		     const void **ret_rows)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t bytes = (bpf_map__max_entries(map) * value_bytes + page - 1) & ~(page - 1);
	void *p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);

	if (p == MAP_FAILED)
		return -errno;
	*ret_bytes = bytes;
	*ret_rows = p;
	return 0;
}

static int map_counters(struct ww_sense *s)
{
	const void *p;
	int r = map_array(s->skel->maps.ww_losses, sizeof(*s->losses), &s->losses_bytes, &p);

	if (r < 0)
		return r;
	s->losses = p;
	r = map_array(s->skel->maps.ww_cpus, sizeof(*s->cpus), &s->cpus_bytes, &p);
	if (r == 0)
		s->cpus = p;
	return r;
}

static int open_rings(struct ww_sense *s)
{
	struct bpf_map *maps[WW_RING_MAX] = {s->skel->maps.ww_control, s->skel->maps.ww_data};
	uint32_t cpus = s->skel->rodata->ww_cpu_count;

	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll_fd < 0)
		return -errno;
	for (unsigned i = 0; i < WW_RING_MAX; i++) {
		/* By edge: a ring that is not empty is no reason to wake up, a wake-up is. */
		struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.u32 = i};
		int fd = bpf_map__fd(maps[i]);
		int r = ww_ring_open(&s->rings[i], fd, bpf_map__max_entries(maps[i]), cpus);

		if (r < 0)
			return r;
		if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
			return -errno;
	}
	return 0;
}

static void find_probe_programs(struct ww_sense *s)
{
	struct ww_probe_programs *p = s->programs;

	for (unsigned i = 0; i < WW_TLS_STACKS; i++)
		p[i].multi = s->calib.uprobe_multi;
	p[WW_TLS_OPENSSL].by_kind[WW_SITE_ENTRY] = s->skel->progs.ww_ssl_entry;
	p[WW_TLS_OPENSSL].by_kind[WW_SITE_RESULT] = s->skel->progs.ww_ssl_result;
	p[WW_TLS_OPENSSL].by_kind[WW_SITE_PREFIX] = s->skel->progs.ww_ssl_prefix;
	p[WW_TLS_OPENSSL].by_kind[WW_SITE_FREE] = s->skel->progs.ww_ssl_free;
	p[WW_TLS_GNUTLS].by_kind[WW_SITE_ENTRY] = s->skel->progs.ww_gtls_entry;
	p[WW_TLS_GNUTLS].by_kind[WW_SITE_RESULT] = s->skel->progs.ww_gtls_result;
	p[WW_TLS_GNUTLS].by_kind[WW_SITE_FREE] = s->skel->progs.ww_gtls_free;
	p[WW_TLS_GO].by_kind[WW_SITE_ENTRY] = s->skel->progs.ww_go_entry;
	p[WW_TLS_GO].by_kind[WW_SITE_RESULT] = s->skel->progs.ww_go_result;
	p[WW_TLS_GO].by_kind[WW_SITE_PAYLOAD] = s->skel->progs.ww_go_payload;
	p[WW_TLS_GO].by_kind[WW_SITE_RECORD] = s->skel->progs.ww_go_record;
	p[WW_TLS_GO].by_kind[WW_SITE_FREE] = s->skel->progs.ww_go_close;
}

int ww_sense_open(const struct ww_sense_config *cfg, struct ww_sense **ret_sense, char *why)
{
	WW_AUTO(ww_sense_close_auto) struct ww_sense *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return say(why, -ENOMEM, "out of memory");
	s->epoll_fd = -1;
	r = load(s, cfg, why);
	if (r < 0)
		return r;
	r = open_rings(s);
	if (r == 0)
		r = map_counters(s);
	if (r < 0)
		return say(why, r, "cannot map the rings: %s", strerror(-r));
	s->scopes.scope_map = bpf_map__fd(s->skel->maps.ww_scope);
	s->scopes.generation[0] = (uint32_t *)&s->skel->bss->ww_generation;
	find_probe_programs(s);
	r = attach_host(s, why);
	if (r < 0)
		return r;
	attach_iterators(s);
	if (cfg->guard) {
		r = ww_guard_open(s->skel, &s->scopes, &s->guard, why, WW_SENSE_WHY_MAX);
		if (r < 0)
			return r;
	}
	*ret_sense = WW_TAKE(s);
	return 0;
}

void ww_sense_close(struct ww_sense *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->probe_count; i++)
		ww_probe_detach(s->probes[i]);
	if (s->skel)
		ww_scope_remove_all(&s->scopes);
	ww_guard_close(s->guard);
	for (unsigned i = 0; i < s->link_count; i++)
		bpf_link__destroy(s->links[i]);
	bpf_link__destroy(s->stat_link);
	bpf_link__destroy(s->sockets_link);
	for (unsigned i = 0; i < WW_RING_MAX; i++)
		ww_ring_close(&s->rings[i]);
	if (s->losses)
		munmap((void *)s->losses, s->losses_bytes);
	if (s->cpus)
		munmap((void *)s->cpus, s->cpus_bytes);
	if (s->epoll_fd >= 0)
		close(s->epoll_fd);
	ww_wirewitness__destroy(s->skel);
	free(s);
}

const char *ww_sense_cgroup_mount(const struct ww_sense *s)
{
	return s->mount;
}

int ww_sense_fd(const struct ww_sense *s)
{
	return s->epoll_fd;
}

/* Reading an iterator runs its program; what it has to say comes by the ring. */
static void run_iterator(const struct bpf_link *link)
{
	WW_AUTO_FD int fd = -1;
	char none[64];

	if (!link)
		return;
	fd = bpf_iter_create(bpf_link__fd(link));
	while (fd >= 0 && read(fd, none, sizeof(none)) > 0)
		;
}

/* --- scopes and probes
 * --------------------------------------------------------------------------------- */

int ww_sense_scope_add(struct ww_sense *s, const char *path, uint64_t agents, uint64_t *ret_id,
		       uint32_t *ret_covers)
{
	uint32_t covers;
	int r = ww_scope_add(&s->scopes, path, agents, ret_id, &covers);

	if (r == 0)
		*ret_covers = covers | WW_COVERS_PROC; /* tracepoints, attached since open */
	return r;
}

void ww_sense_scope_remove(struct ww_sense *s, uint64_t id)
{
	ww_scope_remove(&s->scopes, id);
}

int ww_sense_scope_members(struct ww_sense *s, const char *path, uint64_t id, ww_sense_fn fn,
			   void *ctx)
{
	int r = ww_scope_members(path, id, fn, ctx);

	if (r == 0)
		run_iterator(s->sockets_link);
	return r;
}

int ww_sense_attach(struct ww_sense *s, int fd, uint32_t file, const struct ww_tls_plan *plan)
{
	struct ww_probes *p;
	int r;

	if (!s->calib.attach_cookie)
		return -ENOTSUP;
	if (s->probe_count >= WW_TLS_FILES_MAX)
		return -ENOSPC;
	for (unsigned i = 0; i < s->probe_count; i++) {
		if (ww_probe_file(s->probes[i]) == file)
			return -EEXIST;
	}
	r = ww_probe_attach(&s->programs[plan->stack], fd, file, plan, &p);
	if (r < 0)
		return r;
	s->probes[s->probe_count++] = p;
	return s->prefix_on ? ww_probe_prefix(&s->programs[plan->stack], p, true) : 0;
}

void ww_sense_detach(struct ww_sense *s, uint32_t file)
{
	for (unsigned i = 0; i < s->probe_count; i++) {
		if (ww_probe_file(s->probes[i]) != file)
			continue;
		ww_probe_detach(s->probes[i]);
		s->probes[i] = s->probes[--s->probe_count];
		return;
	}
}

int ww_sense_stdio_set(struct ww_sense *s, uint32_t pid, int fd, const struct ww_stdio_plan *plan,
		       int *ret_link)
{
	uint64_t offsets[WW_STDIO_SITES_MAX], cookies[WW_STDIO_SITES_MAX];
	uint8_t one = 1;
	int link, r;

	if (bpf_program__fd(s->skel->progs.ww_stdio_done) < 0)
		return -ENOSYS;
	for (unsigned i = 0; i < plan->count; i++) {
		offsets[i] = plan->sites[i].offset;
		cookies[i] = plan->sites[i].call;
	}
	r = ww_probe_attach_multi(s->skel->progs.ww_stdio_done, fd, pid, offsets, cookies,
				  plan->count, &link);
	if (r < 0)
		return r;
	r = bpf_map_update_elem(bpf_map__fd(s->skel->maps.ww_stdio_ready), &pid, &one, BPF_ANY);
	if (r < 0) {
		close(link);
		return r;
	}
	*ret_link = link;
	return 0;
}

void ww_sense_stdio_unset(struct ww_sense *s, uint32_t pid)
{
	(void)bpf_map_delete_elem(bpf_map__fd(s->skel->maps.ww_stdio_ready), &pid);
}

int ww_sense_stdio_take(struct ww_sense *s, const struct ww_stdio_key *key,
			const struct ww_stdio_state *state)
{
	int r = bpf_map_update_elem(bpf_map__fd(s->skel->maps.ww_stdio), key, state, BPF_NOEXIST);

	return r == -EEXIST ? 0 : r;
}

void ww_sense_stdio_leave(struct ww_sense *s, const struct ww_stdio_key *key)
{
	(void)bpf_map_delete_elem(bpf_map__fd(s->skel->maps.ww_stdio), key);
}

int ww_sense_prefix(struct ww_sense *s, bool on)
{
	int first = 0;

	/* The lookup on the wire side starts before the first prefix is made, and ends after the
	 * last. */
	s->skel->bss->ww_prefix_on = 1;
	for (unsigned i = 0; i < s->probe_count; i++) {
		struct ww_probes *p = s->probes[i];
		int r = ww_probe_prefix(&s->programs[ww_probe_stack(p)], p, on);

		if (r < 0 && first == 0)
			first = r;
	}
	s->skel->bss->ww_prefix_on = on;
	s->prefix_on = on;
	return first;
}

unsigned ww_sense_files(const struct ww_sense *s, struct ww_sense_file_stats *ret, unsigned max)
{
	unsigned n = 0;

	for (; n < s->probe_count && n < max; n++) {
		ret[n].file = ww_probe_file(s->probes[n]);
		ww_probe_count(s->probes[n], &ret[n].sites, &ret[n].emulated);
	}
	return n;
}

void ww_sense_object(struct ww_sha256 *ret)
{
	size_t n;
	const void *p = ww_wirewitness__elf_bytes(&n);

	ww_sha256(ww_slice(p, n), ret);
}

unsigned ww_sense_programs(const struct ww_sense *s, struct ww_sense_program *ret, unsigned max)
{
	struct bpf_program *p;
	unsigned n = 0;

	bpf_object__for_each_program(p, s->skel->obj)
	{
		struct bpf_prog_info info = {0};
		__u32 size = sizeof(info);
		int fd = bpf_program__fd(p);

		if (n == max || fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
			continue;
		snprintf(ret[n].name, sizeof(ret[n].name), "%s", info.name);
		memcpy(ret[n].tag, info.tag, sizeof(ret[n].tag));
		n++;
	}
	return n;
}

/* --- reading
 * --------------------------------------------------------------------------------------------- */

uint64_t ww_sense_drain(struct ww_sense *s, ww_sense_fn fn, void *ctx)
{
	struct epoll_event seen[WW_RING_MAX];

	(void)epoll_wait(s->epoll_fd, seen, WW_RING_MAX, 0); /* takes the edges back */
	s->horizon_ns = ww_ring_drain(s->rings, fn, ctx, s->horizon_ns, &s->malformed);
	return s->horizon_ns;
}

static void tell_loss(uint64_t cgroup, uint32_t cause, uint64_t events, uint64_t bytes,
		      ww_sense_fn fn, void *ctx)
{
	struct ww_event_loss ev = {
		.h = ww_event_header(WW_EVENT_LOSS, sizeof(ev), ww_boot_now().ns),
		.cause = cause,
		.events = events,
		.bytes = bytes};

	ev.h.cgroup = cgroup;
	fn(ctx, &ev.h);
}

/* Slot 0 is nobody's and everybody's. */
static uint64_t cgroup_of_slot(const struct ww_sense *s, unsigned slot)
{
	for (unsigned i = 0; i < s->scopes.count; i++) {
		if (s->scopes.scopes[i].slot == slot)
			return s->scopes.scopes[i].id;
	}
	return 0;
}

/* Holes that no counter explains: the counters know every reservation that failed. */
static void tell_holes(struct ww_sense *s, const uint64_t lost[WW_RING_MAX], ww_sense_fn fn,
		       void *ctx)
{
	for (unsigned i = 0; i < WW_RING_MAX; i++) {
		int64_t open = s->rings[i].holes - (int64_t)lost[i];

		if (open <= s->holes_told[i])
			continue;
		tell_loss(0, WW_LOSS_SEQUENCE, (uint64_t)(open - s->holes_told[i]), 0, fn, ctx);
		s->holes_told[i] = open;
	}
}

void ww_sense_losses(struct ww_sense *s, ww_sense_fn fn, void *ctx)
{
	uint64_t ring_lost[WW_RING_MAX] = {0};

	for (unsigned slot = 0; slot <= WW_SCOPES_MAX; slot++) {
		for (unsigned cause = 0; cause < WW_LOSS_MAX; cause++) {
			uint64_t events = __atomic_load_n(&s->losses[slot].cause[cause].events,
							  __ATOMIC_RELAXED);
			uint64_t bytes = __atomic_load_n(&s->losses[slot].cause[cause].bytes,
							 __ATOMIC_RELAXED);
			uint64_t old = s->told[slot].cause[cause].events;

			if (cause == WW_LOSS_RING_CONTROL)
				ring_lost[WW_RING_CONTROL] += events;
			else if (cause == WW_LOSS_RING_DATA)
				ring_lost[WW_RING_DATA] += events;
			if (events == old)
				continue;
			tell_loss(cgroup_of_slot(s, slot), cause, events - old,
				  bytes - s->told[slot].cause[cause].bytes, fn, ctx);
			s->told[slot].cause[cause].events = events;
			s->told[slot].cause[cause].bytes = bytes;
		}
	}
	tell_holes(s, ring_lost, fn, ctx);
}

void ww_sense_stats(const struct ww_sense *s, struct ww_sense_stats *ret_stats)
{
	static const unsigned causes[WW_RING_MAX] = {WW_LOSS_RING_CONTROL, WW_LOSS_RING_DATA};
	struct ww_sense_stats st = {.malformed = s->malformed};

	for (unsigned ring = 0; ring < WW_RING_MAX; ring++) {
		for (unsigned i = 0; i < s->rings[ring].cpu_count; i++)
			st.admitted[ring] +=
				__atomic_load_n(&s->cpus[i].seq[ring], __ATOMIC_RELAXED);
		for (unsigned i = 0; i <= WW_SCOPES_MAX; i++)
			st.lost[ring] += __atomic_load_n(&s->losses[i].cause[causes[ring]].events,
							 __ATOMIC_RELAXED);
	}
	*ret_stats = st;
}

void ww_sense_flow_stats(struct ww_sense *s)
{
	run_iterator(s->stat_link);
	if (s->guard)
		ww_guard_sweep(s->guard, false);
}

struct ww_guard_bpf *ww_sense_guard(const struct ww_sense *s)
{
	return s->guard;
}
