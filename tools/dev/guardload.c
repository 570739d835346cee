/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guardload PREFIXES PEERS ROUNDS CONNECTS: what the guard adds to a connect(). Two workers, each
 * in a cgroup of its own and watched as any agent is: by one with the guard and so many networks in
 * its list, by the other with programs beside the monitor's that do nothing, on the same hooks.
 * They take turns, in an order that changes; a round's difference is taken inside it. Nothing is
 * sent: the sockets are UDP, their addresses random ones of the listed networks and between them,
 * which a namespace of its own leads back to itself. One line of JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "policy/guard_list.h"
#include "sense/guard.h"
#include "sense/sense.h"

#define FIRST 0x0b000000u /* 11.0.0.0: /24 networks from here on, every second one forbidden */

struct worker {
	char cgroup[512];
	pid_t pid;
	int ask, answer; /* pipes */
};

static int fail(const char *what)
{
	fprintf(stderr, "guardload: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*seed >> 33);
}

/* --- the worker --------------------------------------------------------------------------------
 */

static void work(const struct worker *w, uint32_t prefixes, uint32_t peers)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	uint64_t seed = 1;
	uint32_t count;

	if (s < 0)
		fail("socket");
	while (read(w->ask, &count, sizeof(count)) == sizeof(count)) {
		struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
		uint64_t took = 0, begin;

		for (uint32_t i = 0; i < count; i++) {
			uint32_t network = draw(&seed) % peers * 7919u % prefixes;

			/* Not denied: what is denied costs an event, too. */
			to.sin_addr.s_addr = htonl(FIRST + network * 512 + 256 + network % 256);
			begin = now_ns();
			if (connect(s, (struct sockaddr *)&to, sizeof(to)) < 0)
				fail("connect");
			took += now_ns() - begin;
		}
		if (write(w->answer, &took, sizeof(took)) != sizeof(took))
			break;
	}
	_exit(0);
}

static void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail(path);
	close(fd);
}

static void begin(struct worker *w, uint32_t prefixes, uint32_t peers)
{
	int ask[2], answer[2];
	char procs[560], pid[16];

	if (pipe(ask) < 0 || pipe(answer) < 0)
		fail("pipe");
	w->pid = fork();
	if (w->pid < 0)
		fail("fork");
	if (w->pid == 0) {
		close(ask[1]);
		close(answer[0]);
		w->ask = ask[0];
		w->answer = answer[1];
		snprintf(procs, sizeof(procs), "%.511s/cgroup.procs", w->cgroup);
		snprintf(pid, sizeof(pid), "%d", getpid());
		put_text(procs, pid);
		work(w, prefixes, peers);
	}
	close(ask[0]);
	close(answer[1]);
	w->ask = ask[1];
	w->answer = answer[0];
}

static double run(const struct worker *w, uint32_t connects)
{
	uint64_t took;

	if (write(w->ask, &connects, sizeof(connects)) != sizeof(connects) ||
	    read(w->answer, &took, sizeof(took)) != sizeof(took))
		fail("a worker");
	return (double)took / connects;
}

/* --- the programs ------------------------------------------------------------------------------
 */

static void attach_empty(const char *cgroup)
{
	static const struct {
		enum bpf_prog_type type;
		enum bpf_attach_type at;
	} hooks[] = {{BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT},
		     {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_CONNECT},
		     {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_SENDMSG},
		     {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_SENDMSG},
		     {BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS}};
	const struct bpf_insn empty[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT}};
	int dir = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < WW_ARRAY_SIZE(hooks); i++) {
		LIBBPF_OPTS(bpf_prog_load_opts, o, .expected_attach_type = hooks[i].at);
		int fd = bpf_prog_load(hooks[i].type, "empty", "Dual BSD/GPL", empty, 2, &o);

		if (fd < 0 || bpf_link_create(fd, dir, hooks[i].at, NULL) < 0)
			fail("an empty program");
	}
}

static struct ww_sense *open_sense(bool guard, struct worker *w, const char *name)
{
	struct ww_sense_config cfg = {.guard = guard};
	struct ww_sense *s = NULL;
	char why[WW_SENSE_WHY_MAX];
	uint64_t id;
	uint32_t covers;

	if (ww_sense_open(&cfg, &s, why) < 0) {
		fprintf(stderr, "guardload: %s\n", why);
		exit(1);
	}
	snprintf(w->cgroup, sizeof(w->cgroup), "%s/ww-test-%s-%d", ww_sense_cgroup_mount(s), name,
		 getpid());
	if (mkdir(w->cgroup, 0755) < 0)
		fail(w->cgroup);
	if (ww_sense_scope_add(s, w->cgroup, 1, &id, &covers) < 0)
		fail("a scope");
	return s;
}

struct cost {
	double compile_ms, build_ms, swap_ms;
	uint32_t entries;
};

static void put_list(struct ww_sense *s, uint32_t prefixes, struct cost *ret)
{
	struct ww_guard_rule r = {
		.deny = true, .agents = 1, .prefix = {.bits = 24, .family = AF_INET}};
	struct ww_guard_list *base = NULL, *none = NULL;
	int base_map = -1, none_map = -1;
	uint64_t t[4] = {now_ns()};

	if (ww_guard_list_new(&base) < 0 || ww_guard_list_new(&none) < 0)
		fail("a list");
	for (uint32_t i = 0; i < prefixes; i++) {
		uint32_t address = htonl(FIRST + i * 512);

		memcpy(r.prefix.addr, &address, sizeof(address));
		if (ww_guard_list_add(base, &r) < 0)
			fail("a rule");
	}
	if (ww_guard_list_seal(base) < 0 || ww_guard_list_seal(none) < 0)
		fail("the list");
	t[1] = now_ns();
	if (ww_guard_build(base, 1, WW_GUARD_MODE_ENFORCE, &base_map) < 0 ||
	    ww_guard_build(none, 1, WW_GUARD_MODE_ENFORCE, &none_map) < 0)
		fail("the maps");
	t[2] = now_ns();
	if (ww_guard_swap(ww_sense_guard(s), base_map, none_map) < 0)
		fail("the swap");
	t[3] = now_ns();
	(void)ww_guard_list_entries(base, &ret->entries);
	ret->compile_ms = (double)(t[1] - t[0]) / 1e6;
	ret->build_ms = (double)(t[2] - t[1]) / 1e6;
	ret->swap_ms = (double)(t[3] - t[2]) / 1e6;
	ww_guard_list_free(base);
	ww_guard_list_free(none);
	close(base_map);
	close(none_map);
}

static void ignore(void *ctx, const struct ww_event *ev)
{
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double at(double *values, unsigned count, double share)
{
	qsort(values, count, sizeof(*values), by_size);
	return values[(unsigned)(share * (count - 1))];
}

static unsigned long number(const char *text)
{
	uint64_t v;

	if (ww_slice_u64(ww_slice_str(text), &v) < 0 || v == 0 || v > 1000000) {
		fprintf(stderr, "guardload PREFIXES PEERS ROUNDS CONNECTS\n");
		exit(2);
	}
	return v;
}

int main(int argc, char **argv)
{
	uint32_t prefixes = (uint32_t)number(argc == 5 ? argv[1] : "");
	uint32_t peers = (uint32_t)number(argv[2]);
	unsigned rounds = (unsigned)number(argv[3]);
	uint32_t connects = (uint32_t)number(argv[4]);
	double *empty = calloc(rounds, sizeof(double)), *guard = calloc(rounds, sizeof(double));
	double *added = calloc(rounds, sizeof(double)), *ratio = calloc(rounds, sizeof(double));
	struct worker w[2] = {{.pid = 0}};
	struct ww_sense *s[2];
	struct cost cost;
	int status = 0;

	if (!empty || !guard || !added || !ratio)
		fail("memory");
	s[0] = open_sense(false, &w[0], "empty");
	attach_empty(w[0].cgroup);
	s[1] = open_sense(true, &w[1], "guard");
	put_list(s[1], prefixes, &cost);
	for (unsigned i = 0; i < 2; i++)
		begin(&w[i], prefixes, peers);
	for (unsigned i = 0; i < rounds + 1; i++) { /* the first one warms up */
		double took[2];

		for (unsigned k = 0; k < 2; k++) {
			unsigned which = (i + k) % 2;

			took[which] = run(&w[which], connects);
			(void)ww_sense_drain(s[which], ignore, NULL);
		}
		if (i == 0)
			continue;
		empty[i - 1] = took[0];
		guard[i - 1] = took[1];
		added[i - 1] = took[1] - took[0];
		ratio[i - 1] = took[1] / took[0];
	}
	printf("{\"prefixes\":%u,\"entries\":%u,\"rounds\":%u,\"connects\":%u,"
	       "\"empty_ns\":%.0f,\"guard_ns\":%.0f,\"added_ns\":%.0f,\"added_worst_ns\":%.0f,"
	       "\"ratio\":%.3f,\"compile_ms\":%.1f,\"build_ms\":%.1f,\"swap_ms\":%.1f}\n",
	       prefixes, cost.entries, rounds, connects, at(empty, rounds, 0.5),
	       at(guard, rounds, 0.5), at(added, rounds, 0.5), at(added, rounds, 1),
	       at(ratio, rounds, 0.5), cost.compile_ms, cost.build_ms, cost.swap_ms);
	close(w[0].ask);
	close(w[1].ask);
	for (unsigned i = 2; i-- > 0;) { /* the second one has the first one's pipe, too */
		waitpid(w[i].pid, &status, 0);
		ww_sense_close(s[i]);
		if (rmdir(w[i].cgroup) < 0)
			fail(w[i].cgroup);
	}
	return 0;
}
