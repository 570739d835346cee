/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitness doctor: what this kernel and host allow, hazards, and how far each watched process is
 * understood. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "base/log.h"
#include "client.h"
#include "cmd.h"
#include "out/printable.h"
#include "records.h"
#include "rt/file.h"
#include "sense/calib.h"
#include "sense/cut.h"
#include "sense/firing.h"
#include "sense/scope.h"
#include "sense/sense.h"

struct options {
	const char *socket;
	bool json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 's':
		o->socket = arg;
		return 0;
	case 'o':
		o->json = ww_records_json_option(state, arg);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"socket", 's', "PATH", 0, "control socket of the daemon (default " WW_SOCKET_PATH ")", 0},
	{"output", 'o', "FORMAT", 0, "text (default), or json: the daemon's status object", 0},
	{0},
};

static const struct argp argp = {
	argp_options, parse,
	NULL,         "Says what this kernel and host allow, and what is attached to what.",
	NULL,         NULL,
	NULL};

static void line(const char *what, bool good, const char *bad_text)
{
	printf("  %-34s %s%s%s\n", what, good ? "yes" : "no", good ? "" : "  ",
	       good ? "" : bad_text);
}

/* What only a try can show. */
static void check_firing(const struct ww_calib *c)
{
	struct ww_firing f = {0};
	int r = ww_firing_try(c->uprobe_multi, c->attach_cookie, &f);

	line("probes fire", r == 0 && f.fires, r < 0 ? strerror(-r) : "a probe was never hit");
	if (r < 0)
		return;
	line("probes read user memory", f.reads_user,
	     "no plaintext: lockdown=confidentiality, or a kernel that forbids it");
	printf("  %-34s %u ns\n", "one probe hit costs", f.hit_ns);
}

/* What a policy with its guard on would find; nothing is denied or ended here. */
static void check_guard(const struct ww_calib *c)
{
	int r = ww_cut_possible();
	char why[160];

	line("guard: destinations can be denied", c->fetch_add, "since 5.12");
	snprintf(why, sizeof(why),
		 "%s (CONFIG_INET_DIAG_DESTROY, and CAP_NET_ADMIN); packets of a cut flow are "
		 "dropped instead, its ends are not told",
		 strerror(-r));
	line("guard: sockets can be ended", r == 0, why);
}

static int check_kernel(void)
{
	char mount[WW_CGROUP_PATH_MAX], why[WW_SENSE_WHY_MAX] = "";
	struct ww_sense_config cfg = {.ring_bytes = 1u << 20};
	WW_AUTO(ww_sense_close_auto) struct ww_sense *sense = NULL;
	struct ww_calib c = {0};
	struct utsname uts;
	bool btf = ww_calib_run(&c) == 0;
	int r;

	uname(&uts);
	printf("kernel %s %s\n", uts.release, uts.machine);
	line("BTF", btf, "needs CONFIG_DEBUG_INFO_BTF=y");
	line("cgroup v2", ww_scope_mount(mount, sizeof(mount)) == 0,
	     "mount -t cgroup2 none /sys/fs/cgroup/unified");
	line("many probe sites by one link", c.uprobe_multi,
	     "since 6.6; perf uprobes are used, slower to attach");
	line("attach cookies", c.attach_cookie, "since 5.15; needed for TLS probes");
	line("unix socket hooks", c.cgroup_unix,
	     "since 6.7; without them no negative verdict is possible (COVERAGE_GAP)");
	r = ww_sense_open(&cfg, &sense, why);
	line("programs load and attach", r == 0, why);
	if (r == 0)
		check_firing(&c);
	check_guard(&c);
	return r;
}

static void check_hazards(void)
{
	char value[64];

	printf("hazards\n");
	if (ww_file_line("/proc/sys/kernel/kptr_restrict", value, sizeof(value)) == 0 &&
	    value[0] == '2')
		printf("  kptr_restrict is 2: harmless for us\n");
	if (ww_file_line("/sys/kernel/security/lockdown", value, sizeof(value)) == 0 &&
	    strstr(value, "[confidentiality]"))
		printf("  lockdown=confidentiality forbids reading user memory from probes: no "
		       "plaintext\n");
	if (ww_file_line("/proc/sys/kernel/perf_event_paranoid", value, sizeof(value)) == 0)
		printf("  perf_event_paranoid is %s: does not bind root\n", value);
	printf("  root on this host can lie to the kernel side before anything is recorded\n");
}

static bool member_true(struct ww_slice object, const char *path)
{
	struct ww_json_token t;
	struct ww_slice range;

	return ww_json_path(object, path, &t, &range) == WW_PARSE_DONE && t.type == WW_JSON_TRUE;
}

/* Names come from the watched programs: only what may go to a terminal. */
static const char *member_text(struct ww_slice object, const char *path, char *out, size_t cap)
{
	WW_AUTO_BUF struct ww_buf text;
	struct ww_json_token t;
	struct ww_slice range;

	out[0] = '\0';
	ww_buf_init(&text, WW_STREAM_LINE_BYTES_MAX);
	if (ww_json_path(object, path, &t, &range) == WW_PARSE_DONE &&
	    (t.type == WW_JSON_STRING || t.type == WW_JSON_NUMBER) &&
	    ww_printable_value(&text, &t) == 0)
		snprintf(out, cap, "%.*s", (int)text.n, (const char *)text.p);
	return out;
}

static void print_ledger(struct ww_slice answer)
{
	char why[320], pending[24], dropped[24];

	member_text(answer, "$.status.ledger.stopped", why, sizeof(why));
	if (why[0])
		printf("  THE LEDGER IS STOPPED: %s\n  %s records wait in memory, %s are lost\n",
		       why,
		       member_text(answer, "$.status.ledger.pending", pending, sizeof(pending)),
		       member_text(answer, "$.status.ledger.recordsDropped", dropped,
				   sizeof(dropped)));
}

static void print_index(struct ww_slice answer)
{
	char why[320], behind[24], ms[24];

	member_text(answer, "$.status.index.behind", behind, sizeof(behind));
	if (strcmp(behind, "0") != 0)
		printf("  the index is behind by %s records, for %s ms\n", behind,
		       member_text(answer, "$.status.index.behindMs", ms, sizeof(ms)));
	if (member_text(answer, "$.status.index.why", why, sizeof(why))[0])
		printf("  the index does not follow the ledger: %s\n", why);
	else if (strcmp(behind, "0") == 0)
		printf("  the index has all of them\n");
}

static void print_publish(struct ww_slice answer)
{
	char path[64], kind[16], name[512], state[16], size[24], at[32], failed[24], why[320];
	struct ww_json_token t;
	struct ww_slice p;

	for (unsigned i = 0;; i++) {
		snprintf(path, sizeof(path), "$.status.publish.destinations[%u]", i);
		if (ww_json_path(answer, path, &t, &p) != WW_PARSE_DONE) {
			if (i == 0)
				printf("  checkpoints do not leave this host: whoever has the key "
				       "can rewrite the ledger unseen\n");
			break;
		}
		if (i == 0)
			printf("checkpoints leave this host\n  %-8s %-8s %-10s %-30s %-8s %s\n",
			       "to", "state", "records", "last", "failures", "name");
		printf("  %-8s %-8s %-10s %-30s %-8s %s\n",
		       member_text(p, "$.kind", kind, sizeof(kind)),
		       member_text(p, "$.state", state, sizeof(state)),
		       member_text(p, "$.size", size, sizeof(size)),
		       member_text(p, "$.at", at, sizeof(at)),
		       member_text(p, "$.failed", failed, sizeof(failed)),
		       member_text(p, "$.name", name, sizeof(name)));
		if (member_text(p, "$.why", why, sizeof(why))[0])
			printf("           %s\n", why);
	}
	if (member_text(answer, "$.status.publish.witnesses", size, sizeof(size))[0] != '0')
		printf("  cosigned by %s of %s witnesses (%s are needed): %s records\n",
		       member_text(answer, "$.status.publish.cosignedBy", state, sizeof(state)),
		       size, member_text(answer, "$.status.publish.quorum", kind, sizeof(kind)),
		       member_text(answer, "$.status.publish.cosignedSize", failed,
				   sizeof(failed)));
}

static void print_processes(struct ww_slice answer)
{
	char path[64], pid[24], comm[160], reason[48], total[24];
	struct ww_json_token t;
	struct ww_slice p;
	uint64_t all;
	unsigned i;

	printf("watched processes\n");
	for (i = 0;; i++) {
		snprintf(path, sizeof(path), "$.status.processes[%u]", i);
		if (ww_json_path(answer, path, &t, &p) != WW_PARSE_DONE)
			break;
		if (i == 0)
			printf("  %-8s %-16s %-9s %-7s %-6s %-9s %s\n", "pid", "command",
			       "attached", "firing", "bound", "verified", "reason");
		printf("  %-8s %-16s %-9s %-7s %-6s %-9s %s\n",
		       member_text(p, "$.pid", pid, sizeof(pid)),
		       member_text(p, "$.comm", comm, sizeof(comm)),
		       member_true(p, "$.attached") ? "yes" : "no",
		       member_true(p, "$.firing") ? "yes" : "no",
		       member_true(p, "$.bound") ? "yes" : "no",
		       member_true(p, "$.verified") ? "yes" : "no",
		       member_text(p, "$.reason", reason, sizeof(reason)));
	}
	if (i == 0)
		printf("  none; start one with: sudo wirewitness run -- COMMAND\n");
	member_text(answer, "$.status.processesTotal", total, sizeof(total));
	if (ww_slice_u64(ww_slice_str(total), &all) == 0 && all > i)
		printf("  the oldest %u of %s\n", i, total);
}

/* Only where contracts declare files. */
static void print_files(struct ww_slice answer)
{
	char path[64], name[280], dirs[24], reason[120];
	struct ww_json_token t;
	struct ww_slice p;

	for (unsigned i = 0;; i++) {
		snprintf(path, sizeof(path), "$.status.files.templates[%u]", i);
		if (ww_json_path(answer, path, &t, &p) != WW_PARSE_DONE)
			return;
		if (i == 0)
			printf("declared files\n  %-8s %-12s %s\n", "watched", "directories",
			       "file");
		printf("  %-8s %-12s %s%s%s\n", member_true(p, "$.watched") ? "yes" : "no",
		       member_text(p, "$.directories", dirs, sizeof(dirs)),
		       member_text(p, "$.template", name, sizeof(name)),
		       member_text(p, "$.reason", reason, sizeof(reason))[0] ? ": " : "", reason);
	}
}

static int ask_daemon(const struct options *o, struct ww_client *c, struct ww_slice *ret_answer)
{
	char error[256] = "";
	int r = ww_client_open(o->socket, c);

	if (r == 0)
		r = ww_client_ask(c, "{\"op\":\"status\"}", ret_answer, error, sizeof(error));
	if (r == -EREMOTEIO)
		ww_log(WW_LOG_ERR, "the daemon refuses: %s", error);
	return r;
}

int ww_cmd_doctor(int argc, char **argv)
{
	struct options o = {.socket = WW_SOCKET_PATH};
	struct ww_client c = {.fd = -1};
	char version[32], size[32];
	struct ww_slice answer;
	int r, kernel = 0;

	if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
		return WW_EXIT_USAGE;
	if (!o.json) {
		kernel = check_kernel();
		check_hazards();
	}
	r = ask_daemon(&o, &c, &answer);
	if (r == 0 && o.json) {
		printf("%.*s\n", (int)answer.n, (const char *)answer.p);
	} else if (r == 0) {
		printf("daemon %s at %s, ledger of %s records\n",
		       member_text(answer, "$.status.version", version, sizeof(version)), o.socket,
		       member_text(answer, "$.status.ledger.size", size, sizeof(size)));
		print_ledger(answer);
		print_index(answer);
		print_publish(answer);
		print_files(answer);
		print_processes(answer);
	} else if (o.json) {
		ww_client_explain(o.socket, r);
	} else if (r == -ENOENT || r == -ECONNREFUSED) {
		printf("daemon: none answers at %s; start it with: sudo wirewitnessd\n", o.socket);
	} else if (r != -EREMOTEIO) {
		printf("daemon: cannot be asked at %s: %s\n", o.socket, strerror(-r));
	}
	ww_client_close(&c);
	if (o.json)
		return r < 0 ? WW_EXIT_UNABLE : 0;
	return kernel < 0 ? WW_EXIT_UNABLE : 0;
}
