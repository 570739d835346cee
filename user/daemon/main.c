/* SPDX-License-Identifier: Apache-2.0 */
/* wirewitnessd: options. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/slice.h"
#include "daemon/daemon.h"

#define LIST_MAX 64

struct options {
	struct ww_daemon_options d;
	const char *libraries[LIST_MAX];
	const char *cgroups[LIST_MAX];
};

static uint64_t number(struct argp_state *state, const char *name, const char *text, uint64_t min,
		       uint64_t max)
{
	uint64_t v;

	if (ww_slice_u64(ww_slice_str(text), &v) < 0 || v < min || v > max)
		argp_error(state, "--%s: expected a number from %llu to %llu, got '%s'", name,
			   (unsigned long long)min, (unsigned long long)max, text);
	return v;
}

static void add(struct argp_state *state, const char **list, unsigned *count, const char *arg)
{
	if (*count >= LIST_MAX)
		argp_error(state, "more than %d of one option", LIST_MAX);
	list[(*count)++] = arg;
}

/* Where checkpoints go. */
static error_t parse_publish(int key, char *arg, struct argp_state *state,
			     struct ww_publisher_options *o)
{
	switch (key) {
	case 'W':
		o->witnesses = arg;
		return 0;
	case 'F':
		o->file = arg;
		return 0;
	case 'C':
		o->command = arg;
		return 0;
	case 'T':
		o->otlp = arg;
		return 0;
	case 'A':
		o->ca_file = arg;
		return 0;
	case 'E':
		o->every_s = (unsigned)number(state, "publish-every", arg, 1, 24 * 3600);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct ww_live_config *live = &o->d.live;

	switch (key) {
	case 'd':
		o->d.state_dir = arg;
		return 0;
	case 's':
		o->d.socket_path = arg;
		return 0;
	case 'c':
		o->d.contracts_path = arg;
		return 0;
	case 'p':
		o->d.phrases = arg;
		return 0;
	case 'x':
		o->d.tables = arg;
		return 0;
	case 'P':
		o->d.policy = arg;
		return 0;
	case 't':
		live->otlp = strcmp(arg, "off") == 0 ? NULL : arg;
		return 0;
	case 'g':
		add(state, o->cgroups, &o->d.cgroup_count, arg);
		return 0;
	case 'l':
		add(state, o->libraries, &live->library_count, arg);
		return 0;
	case 'L':
		live->no_default_libraries = true;
		return 0;
	case 'b':
		live->cap_bytes = (uint32_t)number(state, "cap", arg, 1,
						   WW_CHUNKS_PER_CALL_MAX * WW_CHUNK_BYTES_MAX);
		return 0;
	case 'r':
		live->ring_bytes = (uint32_t)number(state, "ring", arg, 65536, 1u << 30);
		return 0;
	case 'w':
		o->d.grace_ns = number(state, "grace", arg, 1, 3600) * 1000000000ull;
		return 0;
	case 'N':
		o->d.origin = arg;
		return 0;
	case 'k':
		o->d.key = arg;
		return 0;
	case 'R':
		if (ww_retention_set(&o->d.retention, ww_slice_str(arg)) < 0)
			argp_error(state,
				   "--retain: expected content=AGE, evidence=AGE or "
				   "floor=AGE, as in content=30d, got '%s'",
				   arg);
		return 0;
	case ARGP_KEY_END:
		for (int t = 0; t < WW_TIER_MAX; t++)
			if (o->d.retention.keep_s[t] &&
			    o->d.retention.keep_s[t] < o->d.retention.floor_s)
				argp_error(state, "--retain: an age below the floor (%llu s)",
					   (unsigned long long)o->d.retention.floor_s);
		return 0;
	case 'v':
		ww_log_set_level(WW_LOG_DEBUG);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return 0;
	default:
		return parse_publish(key, arg, state, &o->d.publish);
	}
}

static const struct argp_option argp_options[] = {
	{"state", 'd', "DIR", 0, "ledger, keys and index (default /var/lib/wirewitness)", 0},
	{"socket", 's', "PATH", 0, "control socket (default /run/wirewitness/control.sock)", 0},
	{"contracts", 'c', "FILE", 0, "tool contracts (YAML)", 0},
	{"phrases", 'p', "FILE", 0,
	 "phrase rules (YAML) beside the product's, or 'off': read no prose (default 'on')", 0},
	{"tables", 'x', "DIR", 0,
	 "address tables for what is listed of peers, or 'off' (default: 'tables' in the state "
	 "directory, where it is there)",
	 0},
	{"policy", 'P', "FILE", 0, "where the bytes of agents may go (YAML)", 0},
	{"otlp", 't', "ADDR:PORT", 0, "OTLP/HTTP receiver, or 'off' (default 127.0.0.1:4318)", 0},
	{"cgroup", 'g', "PATH", 0, "watch this existing cgroup (repeatable)", 0},
	{"tls-library", 'l', "FILE", 0,
	 "set probes in this TLS library before its first use (repeatable)", 0},
	{"no-default-libraries", 'L', NULL, 0,
	 "do not look for the system's own TLS libraries at start", 0},
	{"cap", 'b', "BYTES", 0,
	 "plaintext captured per TLS call (default 1048576); the rest is counted", 0},
	{"ring", 'r', "BYTES", 0, "size of the plaintext ring, a power of two (default 16777216)",
	 0},
	{"grace", 'w', "SECONDS", 0,
	 "time an action's evidence may come after its span (default 2)", 0},
	{"origin", 'N', "NAME", 0,
	 "name of the ledger, on first start (default wirewitness/HOSTNAME)", 0},
	{"witnesses", 'W', "FILE", 0, "witnesses that are asked to cosign checkpoints", 0},
	{"publish-file", 'F', "FILE", 0, "keep the latest checkpoint there, too", 0},
	{"publish-command", 'C', "PROGRAM", 0,
	 "run this with the latest checkpoint on its standard input", 0},
	{"publish-otlp", 'T', "URL", 0,
	 "send checkpoints as log records (OTLP/HTTP JSON), e.g. http://collector:4318/v1/logs", 0},
	{"publish-every", 'E', "SECONDS", 0,
	 "send the latest checkpoint at least so often, also when it is unchanged (default 60)", 0},
	{"publish-ca", 'A', "FILE", 0, "certificates to check those servers against (PEM)", 0},
	{"key", 'k', "PROVIDER:URI", 0,
	 "on first start, seal the signing key for the key that this OpenSSL provider has, as in "
	 "tpm2:handle:0x81010001; later, demand that it is",
	 0},
	{"retain", 'R', "TIER=AGE", 0,
	 "keep the content of records only so long: content=30d, evidence=400d; floor=AGE (default "
	 "1d): prune nothing younger (repeatable; default: keep everything)",
	 0},
	{"verbose", 'v', NULL, 0, "say more", 0},
	{0},
};

static const struct argp argp = {
	argp_options, parse,
	NULL,         "Watches the processes of its scopes and records what they really did.",
	NULL,         NULL,
	NULL};

int main(int argc, char **argv)
{
	struct options o = {.d = {.state_dir = "/var/lib/wirewitness",
				  .socket_path = "/run/wirewitness/control.sock",
				  .retention = {.floor_s = WW_RETENTION_FLOOR_S},
				  .live = {.otlp = "127.0.0.1:4318"}}};

	argp_program_version = "wirewitnessd " WW_VERSION;
	argp_err_exit_status = 2;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
		return 2;
	o.d.cgroups = o.cgroups;
	o.d.live.libraries = o.libraries;
	o.d.live.owner = o.d.state_dir;
	return ww_daemon_run(&o.d) < 0 ? 3 : 0;
}
