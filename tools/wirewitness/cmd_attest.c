/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wirewitness attest import FILE: what somebody outside signed of an action's outcome, or of where
 * a request was processed, into the ledger: through the daemon, or without one by the ledger's own
 * rights. Finds what it is about; who takes it in looks at all of that again.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "client.h"
#include "cmd.h"
#include "daemon/attest_request.h"
#include "daemon/path_attested.h"
#include "daemon/policy_option.h"
#include "ledger/keyfile.h"
#include "ledger/ledger.h"
#include "out/member.h"
#include "records.h"
#include "rt/file.h"

/* A newer verdict is on its way into the ledger for a commit's time. */
#define AGAIN_MAX      100
#define AGAIN_PAUSE_NS (100 * 1000 * 1000)

struct options {
	bool import;
	const char *file;
	const char *state_dir;
	const char *socket;
	const char *contracts;
	const char *policy;
};

struct job {
	const struct options *o;
	struct ww_attest_request rq;
	struct ww_attestation at; /* as its envelope says; no signature was looked at */
	struct ww_digest_key key;
	struct ww_records records;
	unsigned action_count; /* actions, or paths, that it may be about */
	char actions[WW_ATTEST_FOUND_MAX][WW_ACTION_ID_MAX];
	unsigned looking; /* for what mentions this one */
	int error;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'd':
		o->state_dir = arg;
		return 0;
	case 's':
		o->socket = arg;
		return 0;
	case 'c':
		o->contracts = arg;
		return 0;
	case 'p':
		o->policy = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (!o->import && strcmp(arg, "import") != 0)
			argp_error(state, "expected import, got '%s'", arg);
		else if (!o->import)
			o->import = true;
		else if (!o->file)
			o->file = arg;
		else
			argp_error(state, "one file at a time: unexpected '%s'", arg);
		return 0;
	case ARGP_KEY_END:
		if (!o->file)
			argp_error(state, "what to do is missing: import FILE");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{"state", 'd', "DIR", 0, "state directory of the daemon (default " WW_STATE_DIR ")", 0},
	{"socket", 's', "PATH", 0, "control socket (default " WW_SOCKET_PATH ")", 0},
	{"contracts", 'c', "FILE", 0,
	 "where no daemon runs: the contracts that name who may attest (a daemon has its own)", 0},
	{"policy", 'p', "FILE", 0, "the same for what is attested of paths: the policy", 0},
	{0},
};

static const struct argp argp = {
	argp_options,
	parse,
	"import FILE",
	"Takes in an attestation: a DSSE envelope over an in-toto Statement about one action's "
	"outcome, signed by an attester whom the tool's contract names, or about where a request "
	"was "
	"processed, by one whom the policy names. A confirmed action becomes CONFIRMED_T3; beside "
	"any other verdict it stands as a finding. In the record of a path it stands in a column "
	"of "
	"its own.",
	NULL,
	NULL,
	NULL};

/* --- what it is about ---------------------------------------------------------------------------
 */

static void add_action(struct job *j, struct ww_slice action)
{
	unsigned i = 0;

	while (i < j->action_count && !ww_slice_eq_str(action, j->actions[i]))
		i++;
	if (i < j->action_count || action.n >= WW_ACTION_ID_MAX)
		return;
	memcpy(j->actions[i], action.p, action.n);
	j->actions[i][action.n] = '\0';
	j->action_count++;
}

/* Others' are no error: of controls, or of a later version. */
static bool each_verdict(void *ctx, uint64_t index, struct ww_slice json)
{
	struct ww_attested_verdict v;
	struct ww_path_record p;
	struct job *j = ctx;

	if (j->at.of_path && ww_path_record_read(json, &p, NULL) == 0 &&
	    ww_path_record_fits(&p, &j->at))
		add_action(j, p.path);
	if (!j->at.of_path && ww_attested_read(json, &v, NULL) == 0 &&
	    ww_attested_fits(&v, &j->at, &j->key))
		add_action(j, v.action);
	return j->action_count < WW_ATTEST_FOUND_MAX; /* more than one is too many already */
}

/* The newest verdict of the action, also where only one before it had the id: what is superseded
 * is never asked. */
static void take_verdict(struct job *j, uint64_t index, struct ww_slice json)
{
	struct ww_attest_request *rq = &j->rq;
	struct ww_slice subject = WW_SLICE_NULL;
	struct ww_attested_verdict v;
	struct ww_path_record p;

	if (j->at.of_path && ww_path_record_read(json, &p, NULL) == 0)
		subject = p.path;
	if (!j->at.of_path && ww_attested_read(json, &v, NULL) == 0)
		subject = v.action;
	if (!ww_slice_eq_str(subject, j->actions[j->looking]))
		return;
	rq->verdicts[j->looking] = index;
	rq->verdict_count = j->looking + 1;
}

static bool each_mention(void *ctx, uint64_t index)
{
	struct ww_attest_request *rq = &((struct job *)ctx)->rq;
	struct ww_json_token kind;
	struct job *j = ctx;
	struct ww_slice json;
	int r = ww_records_get(&j->records, index, &json);

	if (r < 0) {
		j->error = r == -ENOENT ? 0 : r;
		return j->error == 0;
	}
	kind = ww_member_get(json, "kind");
	if (ww_json_is(&kind, j->at.of_path ? "path" : "verdict"))
		take_verdict(j, index, json);
	if (ww_json_is(&kind, "attestation") && rq->recorded_count < WW_ATTEST_FOUND_MAX)
		rq->recorded[rq->recorded_count++] = index;
	return true;
}

static int find(struct job *j)
{
	const struct ww_records_query q = {.kind = j->at.of_path ? "path" : "verdict"};
	int r = 0;

	j->rq.size = ww_records_size(&j->records);
	j->action_count = j->rq.verdict_count = j->rq.recorded_count = 0;
	if (j->at.by == WW_ATTESTATION_BY_ACTION)
		add_action(j, ww_slice_str(j->at.subject));
	else
		r = ww_records_each(&j->records, &q, each_verdict, j);
	for (j->looking = 0; j->looking < j->action_count && r == 0; j->looking++) {
		r = ww_record_index_mentions(j->records.index, ww_slice_str(j->actions[j->looking]),
					     each_mention, j);
		r = r < 0 ? r : j->error;
	}
	return r < 0 ? ww_log_err_r(r, "cannot look for what it is about") : 0;
}

/* The key of digests is only needed to find a created id. */
static int load_key(struct job *j)
{
	WW_AUTO_FD int dir = open(j->o->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct ww_keyfile keys = {0};
	struct ww_errtext why = {""};
	int r = dir < 0 ? -errno : 0;

	if (r < 0)
		return ww_log_err_r(r, "cannot open %s", j->o->state_dir);
	if (j->at.by != WW_ATTESTATION_BY_CREATED)
		return 0;
	r = ww_keyfile_load(dir, NULL, NULL, false, &keys, &why);
	if (r < 0)
		ww_log(WW_LOG_ERR, "%s", why.text);
	else
		ww_digest_key_init(&j->key, keys.digest_key);
	ww_keyfile_done(&keys);
	return r;
}

/* --- through the daemon -------------------------------------------------------------------------
 */

static void print_answer(const char *id, const char *attester, const char *action,
			 const char *verdict, bool repeated)
{
	printf("%s, attested by %s: ", id, attester);
	if (repeated)
		printf("was there already\n");
	else if (verdict[0])
		printf("%s, which supersedes the one before\n", verdict);
	else
		printf("%s has no %s yet, and will name it\n", action,
		       action[0] == 'y' ? "record" : "verdict");
}

static void text_at(struct ww_slice doc, const char *path, char *out, size_t cap)
{
	struct ww_json_token t;

	out[0] = '\0';
	if (ww_json_path(doc, path, &t, NULL) == WW_PARSE_DONE && t.type == WW_JSON_STRING &&
	    t.raw.n < cap)
		snprintf(out, cap, "%.*s", (int)t.raw.n, (const char *)t.raw.p);
}

static bool true_at(struct ww_slice doc, const char *path)
{
	struct ww_json_token t;

	return ww_json_path(doc, path, &t, NULL) == WW_PARSE_DONE && t.type == WW_JSON_TRUE;
}

/* Nothing is said to be recorded before the ledger has it: its record comes down the stream. */
static int wait_for(struct ww_client *c, uint64_t next, const char *id)
{
	char request[64], error[256] = "";
	struct ww_slice line;
	struct ww_json_token t;
	int r;

	snprintf(request, sizeof(request), "{\"op\":\"tail\",\"from\":%" PRIu64 "}", next);
	r = ww_client_ask(c, request, &line, error, sizeof(error));
	while (r == 0) {
		r = ww_client_line(c, &line);
		if (r == 0 && ww_json_path(line, "$.record.id", &t, NULL) == WW_PARSE_DONE &&
		    ww_json_is(&t, id))
			return 0;
	}
	return r;
}

static int take_answer(struct job *j, struct ww_client *c, struct ww_slice answer)
{
	char id[64], attester[80], action[64], verdict[80];
	bool repeated = true_at(answer, "$.repeated");
	struct ww_json_token t;
	uint64_t next = 0;
	int r = 0;

	text_at(answer, "$.attestation", id, sizeof(id));
	text_at(answer, "$.attester", attester, sizeof(attester));
	text_at(answer, "$.action", action, sizeof(action));
	text_at(answer, "$.verdict", verdict, sizeof(verdict));
	if (ww_json_path(answer, "$.next", &t, NULL) != WW_PARSE_DONE || ww_json_u64(&t, &next) < 0)
		return -EPROTO;
	if (!repeated)
		r = wait_for(c, next, verdict[0] ? verdict : id);
	if (r == 0)
		print_answer(id, attester, action, verdict, repeated);
	return r;
}

static int ask_daemon(struct job *j, struct ww_client *c, bool *ret_again)
{
	WW_AUTO_BUF struct ww_buf request = {0};
	char error[400] = "";
	struct ww_slice answer;
	int r = find(j);

	if (r < 0)
		return r;
	ww_buf_init(&request, WW_CONTROL_LINE_BYTES_MAX);
	r = ww_attest_request_write(&j->rq, &request);
	if (r == 0)
		r = ww_buf_add(&request, "", 1);
	if (r == 0)
		r = ww_client_ask(c, (const char *)request.p, &answer, error, sizeof(error));
	if (r == -EREMOTEIO)
		ww_log(WW_LOG_ERR, "%s: not taken: %s", j->o->file, error);
	*ret_again = r == 0 && true_at(answer, "$.again");
	return r < 0 || *ret_again ? r : take_answer(j, c, answer);
}

static int through_daemon(struct job *j, struct ww_client *c)
{
	const struct timespec pause = {.tv_nsec = AGAIN_PAUSE_NS};
	bool again = true;
	int r = 0;

	for (unsigned i = 0; again && r == 0; i++) {
		if (i == AGAIN_MAX) {
			ww_log(WW_LOG_ERR, "the newest %s of what it is about is not found",
			       j->at.of_path ? "record" : "verdict");
			return -EBUSY;
		}
		if (i)
			nanosleep(&pause, NULL);
		ww_records_close(&j->records);
		r = ww_records_open(j->o->state_dir, &j->records);
		if (r == 0)
			r = ask_daemon(j, c, &again);
	}
	if (r < 0 && r != -EREMOTEIO)
		ww_client_explain(j->o->socket, r);
	return r;
}

/* --- without one --------------------------------------------------------------------------------
 */

struct here {
	struct ww_ledger *ledger;
	int error;
};

static void append(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	struct here *h = ctx;

	if (h->error == 0)
		h->error = ww_ledger_append(h->ledger,
					    kind == WW_RECORD_VERDICT ? "verdict"
					    : kind == WW_RECORD_PATH  ? "path"
								      : "attestation",
					    json, NULL);
}

static int read_contracts(const struct options *o, struct ww_contracts **ret)
{
	struct ww_contract_error error = {0};
	WW_AUTO_BUF struct ww_buf yaml = {0};
	int r;

	if (!o->contracts) {
		ww_log(WW_LOG_ERR,
		       "no daemon answers at %s, and without --contracts nobody is "
		       "named who may attest",
		       o->socket);
		return -EINVAL;
	}
	ww_buf_init(&yaml, WW_CONTRACT_FILE_BYTES + 1);
	r = ww_file_read(o->contracts, &yaml);
	if (r < 0)
		return ww_log_err_r(r, "cannot read %s", o->contracts);
	r = ww_contracts_parse(ww_buf_slice(&yaml), ret, &error);
	if (r < 0 && error.text[0])
		ww_log(WW_LOG_ERR, "%s:%u: %s", o->contracts, error.line, error.text);
	return r;
}

static int read_policy(const struct options *o, struct ww_policy **ret)
{
	if (o->policy)
		return ww_policy_option(o->policy, ret);
	ww_log(WW_LOG_ERR,
	       "no daemon answers at %s, and without --policy nobody is named who may attest",
	       o->socket);
	return -EINVAL;
}

static int import_here(struct job *j, struct here *h, const struct ww_contracts *contracts,
		       const struct ww_policy *policy)
{
	WW_AUTO(ww_attestations_free_auto) struct ww_attestations *all = NULL;
	WW_AUTO_BUF struct ww_buf memory = {0};
	struct ww_attest_answer answer;
	struct ww_errtext why = {""};
	struct ww_attest_ask ask;
	struct ww_digest_key key;
	struct ww_clock_map now;
	int r;

	ww_clock_sample(&now);
	ww_digest_key_init(&key, ww_ledger_keys(h->ledger)->digest_key);
	ww_buf_init(&memory, 2 * WW_ATTEST_FOUND_MAX * WW_RECORD_BYTES_MAX);
	r = ww_attestations_new(contracts, &key, NULL, &all);
	if (r == 0)
		r = ww_attestations_of_paths(all, policy, NULL);
	if (r == 0)
		r = ww_attest_request_load(&j->rq, j->records.reader, now.wall, &memory, &ask,
					   &why);
	if (r == 0)
		r = ww_attestations_import(all, &ask, &now, append, h, &answer, &why);
	if (r < 0) {
		ww_log(WW_LOG_ERR, "%s: not taken: %s", j->o->file,
		       why.text[0] ? why.text : strerror(-r));
		return -EREMOTEIO;
	}
	r = h->error;
	if (r == 0)
		r = ww_ledger_commit(h->ledger, NULL);
	if (r < 0)
		return ww_log_err_r(r, "cannot put it into the ledger");
	print_answer(answer.id, answer.attester, answer.action, answer.verdict, answer.repeated);
	return 0;
}

static int without_daemon(struct job *j)
{
	WW_AUTO(ww_contracts_free_auto) struct ww_contracts *contracts = NULL;
	WW_AUTO(ww_policy_free_auto) struct ww_policy *policy = NULL;
	WW_AUTO(ww_ledger_close_auto) struct ww_ledger *ledger = NULL;
	struct ww_tlog_options lo = {.dir = j->o->state_dir};
	struct ww_errtext why = {""};
	struct here h = {0};
	int r = j->at.of_path ? read_policy(j->o, &policy) : read_contracts(j->o, &contracts);

	if (r < 0)
		return r;
	r = ww_ledger_open(&lo, &ledger, &why);
	if (r < 0) {
		ww_log(WW_LOG_ERR, "ledger %s: %s%s", j->o->state_dir, why.text,
		       r == -EBUSY ? "; give --socket where its daemon answers" : "");
		return r;
	}
	h.ledger = ledger;
	r = ww_records_open(j->o->state_dir, &j->records);
	if (r == 0)
		r = find(j);
	return r < 0 ? r : import_here(j, &h, contracts, policy);
}

/* --- all of it ----------------------------------------------------------------------------------
 */

static int read_envelope(struct job *j)
{
	struct ww_errtext why = {""};
	int r;

	ww_buf_init(&j->rq.envelope, WW_ATTESTATION_BYTES_MAX);
	r = ww_file_read(j->o->file, &j->rq.envelope);
	if (r < 0 && r != -EFBIG)
		return ww_log_err_r(r, "cannot read %s", j->o->file);
	if (r == 0)
		r = ww_attestation_parse(ww_buf_slice(&j->rq.envelope), &j->at, &why);
	else
		(void)ww_errtext_set(&why, r, "it has more than %u bytes",
				     WW_ATTESTATION_BYTES_MAX);
	if (r < 0)
		ww_log(WW_LOG_ERR, "%s: not taken: %s", j->o->file, why.text);
	return r < 0 ? -EREMOTEIO : 0;
}

static int run(struct job *j)
{
	WW_AUTO(ww_client_close) struct ww_client c = {.fd = -1};
	int r = read_envelope(j);

	if (r == 0)
		r = load_key(j);
	if (r < 0)
		return r;
	r = ww_client_open(j->o->socket, &c);
	if (r == -ENOENT || r == -ECONNREFUSED)
		return without_daemon(j);
	if (r < 0) {
		ww_client_explain(j->o->socket, r);
		return r;
	}
	return through_daemon(j, &c);
}

int ww_cmd_attest(int argc, char **argv)
{
	struct options o = {.state_dir = WW_STATE_DIR, .socket = WW_SOCKET_PATH};
	struct job j = {.o = &o};
	int r;

	if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
		return WW_EXIT_USAGE;
	r = run(&j);
	ww_records_close(&j.records);
	ww_attestation_done(&j.at);
	ww_buf_done(&j.rq.envelope);
	explicit_bzero(&j.key, sizeof(j.key));
	if (r == 0)
		return 0;
	return r == -EREMOTEIO ? WW_EXIT_NO : WW_EXIT_UNABLE;
}
