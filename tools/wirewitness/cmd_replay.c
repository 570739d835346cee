/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wirewitness replay FILE: the records of a tape, as NDJSON or in a new ledger, by the same
 * pipeline as live. A pure function of tape, contracts, address tables, policy and version.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/log.h"
#include "cmd.h"
#include "daemon/manifest.h"
#include "daemon/phrases_file.h"
#include "daemon/policy_option.h"
#include "daemon/tables_folder.h"
#include "judge/originals.h"
#include "replay_attest.h"
#include "replay_ledger.h"
#include "rt/file.h"
#include "sense/tape.h"

#define OUT_BYTES (64u << 10)

struct options {
	const char *tape;
	const char *contracts;
	const char *phrases;
	const char *tables;
	const char *policy;
	const char *state_dir; /* NULL: records go to standard output */
	const char *attestations[WW_REPLAY_ATTEST_MAX];
	unsigned attestation_count;
	bool stats;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'c':
		o->contracts = arg;
		return 0;
	case 'd':
		o->state_dir = arg;
		return 0;
	case 'p':
		o->phrases = arg;
		return 0;
	case 'x':
		o->tables = arg;
		return 0;
	case 'P':
		o->policy = arg;
		return 0;
	case 's':
		o->stats = true;
		return 0;
	case 'a':
		if (o->attestation_count == WW_REPLAY_ATTEST_MAX)
			argp_error(state, "more than %u attestations", WW_REPLAY_ATTEST_MAX);
		o->attestations[o->attestation_count++] = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (o->tape)
			argp_error(state, "one tape at a time: unexpected '%s'", arg);
		o->tape = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->tape)
			argp_error(state, "the tape FILE is missing");
		if (o->contracts && o->attestation_count)
			argp_error(state, "--contracts and --attestation exclude each other: what "
					  "was attested is of the first judgement");
		if (o->phrases && o->state_dir)
			argp_error(state, "--state and --phrases exclude each other: the ledger "
					  "of a tape is made as the tape says");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"contracts", 'c', "FILE", 0,
	 "judge again under these contracts: verdicts name the first ones", 0},
	{"phrases", 'p', "FILE", 0,
	 "read prose by these rules beside the product's, 'on' or 'off', instead of as the tape "
	 "says",
	 0},
	{"tables", 'x', "DIR", 0,
	 "the address tables that the tape names, or others: each record names those that it is "
	 "made with; 'off': none",
	 0},
	{"policy", 'P', "FILE", 0,
	 "place peers by this file instead of by the tape's; 'off': by none", 0},
	{"state", 'd', "DIR", 0,
	 "make a ledger in this new directory instead of printing: the same one from the same tape",
	 0},
	{"attestation", 'a', "FILE", 0,
	 "take this in at the end of the tape, at the time that it was made (repeatable)", 0},
	{"stats", 's', NULL, 0, "counts on standard error at the end", 0},
	{0},
};

static const struct argp argp = {
	argp_options,
	parse,
	"FILE",
	"Derives the records of a tape again and prints them, one JSON object per line.",
	NULL,
	NULL,
	NULL};

struct replay {
	const struct options *o;
	struct ww_buf memory, contracts, phrases;
	struct ww_pipeline_config cfg;
	struct ww_replay_facts facts;
	struct ww_tables *tables;
	struct ww_policy *policy;
	struct ww_originals *originals; /* of judging again */
	struct ww_replay_ledger *ledger;
	struct ww_replay_attest *attest; /* NULL: nothing is taken in */
	int error;
};

/* --- where records go ---------------------------------------------------------------------------
 */

static void see(struct replay *p, enum ww_record_kind kind, struct ww_slice json)
{
	if (p->error == 0)
		p->error = ww_replay_attest_see(p->attest, kind, json);
}

static void print_record(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	see(ctx, kind, json);
	fwrite(json.p, 1, json.n, stdout);
	fputc('\n', stdout);
}

static void log_record(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	see(ctx, kind, json);
	ww_replay_ledger_add(((struct replay *)ctx)->ledger, kind, json);
}

static void keep_original(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	struct replay *p = ctx;

	if (kind == WW_RECORD_VERDICT && p->error == 0)
		p->error = ww_originals_add(p->originals, json);
}

static void print_stats(const struct ww_pipeline *p)
{
	struct ww_pipeline_stats s = ww_pipeline_stats(p);

	fprintf(stderr,
		"events %llu, exchanges %llu, model calls %llu, spans %llu, verdicts %llu, records "
		"%llu\n",
		(unsigned long long)s.events, (unsigned long long)s.exchanges,
		(unsigned long long)s.model_calls, (unsigned long long)s.spans,
		(unsigned long long)s.verdicts, (unsigned long long)s.records);
}

/* --- over the tape ------------------------------------------------------------------------------
 */

static int open_tape(const struct options *o, struct ww_tape_reader **ret)
{
	int r = ww_tape_open(o->tape, ret);

	if (r == -EBADMSG)
		ww_log(WW_LOG_ERR, "%s is not a tape", o->tape);
	else if (r < 0)
		ww_log_err_r(r, "cannot replay %s", o->tape);
	return r;
}

static const char of_tape[] = "contracts of the tape";

/* `where`: what the contracts of cfg are from. */
static int open_pipeline(struct replay *p, const char *where, ww_record_fn fn,
			 struct ww_pipeline **ret)
{
	struct ww_contract_error error = {0};
	int r = ww_pipeline_new(&p->cfg, fn, p, ret, &error);

	if (r == -EINVAL)
		ww_log(WW_LOG_ERR, "%s:%u: %s", where, error.line, error.text);
	else if (r < 0)
		ww_log_err_r(r, "cannot start the pipeline");
	return r;
}

/* All events into the pipeline: 0, or what ends a tape that has no end (tape.h). */
static int feed(struct replay *p, struct ww_pipeline *pipeline)
{
	WW_AUTO(ww_tape_reader_free_auto) struct ww_tape_reader *tape = NULL;
	const struct ww_event *ev;
	int r = open_tape(p->o, &tape);

	if (r < 0)
		return r;
	while ((r = ww_tape_next(tape, &ev)) == 0)
		ww_pipeline_feed(pipeline, ev);
	ww_pipeline_finish(pipeline);
	return r == -ENODATA ? 0 : r;
}

/* Digest, first clock and end of the tape: what the ledger's first record says of it. */
static int look(struct replay *p)
{
	WW_AUTO(ww_tape_reader_free_auto) struct ww_tape_reader *tape = NULL;
	WW_AUTO_FD int fd = open(p->o->tape, O_RDONLY | O_CLOEXEC);
	const struct ww_event *ev;
	int r = fd < 0 ? -errno : ww_file_sha256(fd, UINT64_MAX, &p->facts.tape);

	if (r < 0)
		return ww_log_err_r(r, "cannot read %s", p->o->tape);
	r = open_tape(p->o, &tape);
	if (r < 0)
		return r;
	while ((r = ww_tape_next(tape, &ev)) == 0) {
		if (ev->kind != WW_EVENT_CLOCK || p->facts.began.ns)
			continue;
		p->facts.began.ns = ev->time_ns;
		p->facts.began_wall.ns = ((const struct ww_event_clock *)ev)->wall_ns;
	}
	p->facts.end = r == -ENODATA ? "in order" : r == -EPIPE ? "cut off" : "broken";
	return 0;
}

/*
 * Other contracts than those of the tape. When they differ, the events are judged twice: what the
 * first judgement said is what the second one names. Another version may not derive what was said
 * then, so it names nothing and judges nothing again.
 */
static int judge_by(struct replay *p, const char *contracts)
{
	WW_AUTO(ww_pipeline_free_auto) struct ww_pipeline *first = NULL, *second = NULL;
	struct ww_sha256 now;
	int r = open_pipeline(p, of_tape, keep_original, &first);

	if (r < 0)
		return r;
	p->facts.recorded = ww_pipeline_contracts(first);
	r = ww_file_read(contracts, &p->contracts);
	if (r < 0)
		return ww_log_err_r(r, "cannot read %s", contracts);
	p->cfg.contracts = ww_buf_slice(&p->contracts);
	r = open_pipeline(p, contracts, print_record, &second);
	if (r < 0)
		return r;
	now = ww_pipeline_contracts(second);
	if (memcmp(now.b, p->facts.recorded.b, sizeof(now.b)) == 0)
		return 0;
	if (strcmp(p->facts.origin.version, WW_VERSION) != 0) {
		ww_log(WW_LOG_ERR,
		       "the tape is of version %s: what it said then cannot be derived "
		       "by " WW_VERSION ", so nothing is judged again",
		       p->facts.origin.version[0] ? p->facts.origin.version : "unknown");
		return -ENOTSUP;
	}
	r = ww_originals_new(&p->facts.recorded, &p->originals);
	if (r == 0) {
		(void)feed(p, first); /* a tape without end is told of the second time */
		r = p->error;
	}
	if (r < 0)
		return ww_log_err_r(r, "cannot keep the first verdicts");
	p->cfg.originals = p->originals;
	return 0;
}

/* A tape names the tables that it was made with and does not hold them. */
static int read_tables(struct replay *p, struct ww_slice manifest)
{
	char hex[2 * WW_SHA256_LEN + 1];
	struct ww_sha256 named, given;
	bool names = ww_manifest_tables(manifest, &named);
	int r = ww_tables_option(p->o->tables, NULL, &p->tables);

	if (r < 0)
		return r;
	p->cfg.tables = p->tables;
	if (!names)
		return 0;
	ww_hex_encode(ww_slice(named.b, sizeof(named.b)), hex);
	if (!p->o->tables) {
		ww_log(WW_LOG_ERR,
		       "the tape was made with address tables (sha256 %s): give them with "
		       "--tables DIR, or --tables off",
		       hex);
		return -ENOENT;
	}
	if (!p->tables)
		return 0;
	given = ww_tables_digest(p->tables);
	if (memcmp(given.b, named.b, sizeof(given.b)) != 0)
		ww_log(WW_LOG_WARN,
		       "these are not the address tables of the tape (sha256 %s): what is listed "
		       "may differ",
		       hex);
	return 0;
}

/* Another one than the tape's is named by the records that it makes. */
static int read_policy(struct replay *p, struct ww_slice manifest)
{
	struct ww_contract_error error = {0};
	WW_AUTO_BUF struct ww_buf memory = {0};
	struct ww_slice yaml;
	int r;

	if (p->o->policy) {
		r = ww_policy_option(p->o->policy, &p->policy);
	} else {
		ww_buf_init(&memory, WW_POLICY_FILE_BYTES);
		r = ww_manifest_policy(manifest, &memory, &yaml);
		if (r == 0 && yaml.n)
			r = ww_policy_parse(yaml, &p->policy, &error);
		if (r < 0)
			return ww_log_err_r(r, "cannot use the policy of the tape%s%s",
					    error.text[0] ? ": " : "", error.text);
	}
	p->cfg.policy = p->policy;
	return r;
}

static int read_manifest(struct replay *p)
{
	WW_AUTO(ww_tape_reader_free_auto) struct ww_tape_reader *tape = NULL;
	int r = open_tape(p->o, &tape);

	if (r < 0)
		return r;
	r = ww_manifest_read(ww_tape_manifest(tape), &p->memory, &p->cfg);
	if (r == -EBADMSG)
		ww_log(WW_LOG_ERR, "%s is not a tape", p->o->tape);
	else if (r < 0)
		ww_log_err_r(r, "cannot replay %s", p->o->tape);
	if (r < 0)
		return r;
	ww_manifest_origin(ww_tape_manifest(tape), &p->facts.origin);
	p->facts.digest_key = p->cfg.digest_key;
	r = read_tables(p, ww_tape_manifest(tape));
	return r < 0 ? r : read_policy(p, ww_tape_manifest(tape));
}

/* Before the first record of the pipeline. */
static int open_ledger(struct replay *p, const struct ww_pipeline *pipeline)
{
	int r = look(p);

	p->facts.contracts = ww_pipeline_contracts(pipeline);
	p->facts.tables = p->tables;
	p->facts.policy = p->policy;
	if (!p->o->contracts)
		p->facts.recorded = p->facts.contracts;
	return r < 0 ? r : ww_replay_ledger_new(p->o->state_dir, &p->facts, &p->ledger);
}

static int replay(struct replay *p)
{
	WW_AUTO(ww_pipeline_free_auto) struct ww_pipeline *pipeline = NULL;
	const char *contracts = p->o->contracts;
	int end, r = read_manifest(p);

	if (r == 0 && contracts)
		r = judge_by(p, contracts);
	if (r == 0 && p->o->phrases)
		r = ww_phrases_option(p->o->phrases, &p->phrases, &p->cfg);
	if (r == 0 && p->o->attestation_count)
		r = ww_replay_attest_new(p->o->attestations, p->o->attestation_count,
					 p->cfg.digest_key, &p->attest);
	if (r == 0)
		r = open_pipeline(p, contracts ? contracts : of_tape,
				  p->o->state_dir ? log_record : print_record, &pipeline);
	if (r == 0 && p->o->state_dir)
		r = open_ledger(p, pipeline);
	if (r < 0)
		return WW_EXIT_UNABLE;
	if (strcmp(p->facts.origin.version, WW_VERSION) != 0)
		ww_log(WW_LOG_WARN,
		       "the tape is of version %s, this is " WW_VERSION
		       ": records may differ from those of then",
		       p->facts.origin.version[0] ? p->facts.origin.version : "unknown");
	end = feed(p, pipeline);
	if (p->error == 0)
		p->error = ww_replay_attest_import(p->attest, pipeline);
	if (p->ledger && ww_replay_ledger_end(p->ledger) < 0)
		return WW_EXIT_UNABLE;
	if (p->o->stats)
		print_stats(pipeline);
	if (end == -EPIPE)
		ww_log(WW_LOG_WARN, "the tape was cut off; records are those of what is there");
	else if (end < 0)
		ww_log(WW_LOG_ERR, "the tape is broken; records are those before the break");
	return end < 0 || p->error < 0 ? WW_EXIT_NO : 0;
}

int ww_cmd_replay(int argc, char **argv)
{
	static char printed[OUT_BYTES];
	struct options o = {0};
	struct replay p = {.o = &o};
	int r;

	ww_buf_init(&p.memory, WW_MANIFEST_BYTES_MAX);
	ww_buf_init(&p.contracts, WW_CONTRACT_FILE_BYTES);
	ww_buf_init(&p.phrases, WW_PHRASE_FILE_BYTES);
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
		return WW_EXIT_USAGE;
	if (!isatty(STDOUT_FILENO)) /* a pipe's is 4 KiB else */
		(void)setvbuf(stdout, printed, _IOFBF, sizeof(printed));
	r = replay(&p);
	ww_replay_ledger_free(p.ledger);
	ww_replay_attest_free(p.attest);
	ww_originals_free(p.originals);
	ww_tables_free(p.tables);
	ww_policy_free(p.policy);
	ww_buf_done(&p.memory);
	ww_buf_done(&p.contracts);
	ww_buf_done(&p.phrases);
	explicit_bzero(&p.cfg, sizeof(p.cfg));
	return r;
}
