/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events of a kernel that cannot be trusted, and tapes. The first byte says what follows:
 *   even  events, each a 16-bit length (little endian) and that many of its first bytes; it is as
 *         long as its header says, and zero behind them
 *   odd   a tape as it stands in a file
 * What ww_event_check() accepts must be what it says, and goes through the whole pipeline. Every
 * record must be one JSON object within its ceiling, and a verdict must have had what it takes.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/json.h"
#include "daemon/manifest.h"
#include "sense/event_check.h"
#include "sense/tape.h"

#include "../lib/whole_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EVENT_BYTES_MAX 32768u
#define EVENTS_MAX      1024u
#define COVERS_ALL      31u

static const char contracts[] =
	"version: 1\n"
	"contracts:\n"
	"  - tool: refund_order\n"
	"    effect: network\n"
	"    destinations: [{name: payments.test, cidr: [10.77.2.2/32]}]\n"
	"    methods: [POST]\n"
	"    paths: [/v1/refunds]\n"
	"    success: {status: 2xx, body: [{path: $.errors, exists: false}]}\n"
	"    id_path: $.id\n"
	"  - {tool: write_report, effect: file, files: [\"/run/ww-files/{name}.txt\"]}\n"
	"  - {tool: remove_lock, effect: file, files: [/run/ww-files/lock], changes: [removed]}\n"
	"  - {tool: check, effect: process, programs: [/usr/bin/true, /usr/bin/false], exit: 0}\n";

/* Nothing is listed of anybody: every byte of a prompt that is acknowledged is a violation. */
static const char policy[] =
	"version: 1\n"
	"regions: [{name: eu, labels: [eu-*]}]\n"
	"agents: [{name: all, cgroup: \"*\", allowed_regions: [eu], on_unlisted: deny}]\n";

/* What was fed. */
struct seen {
	bool data[2], sent, closed, counted, ticked, clocked, covered, claimed;
	bool ran, ended, changed, watched; /* of this host */
	unsigned count;
};

static struct seen seen;

/* --- what came in -------------------------------------------------------------------------------
 */

/* Said again, in other words than ww_event_check() does. */
static void check_accepted(const struct ww_event *ev, size_t avail)
{
	assert(ev->version == WW_EVENT_VERSION && ev->size >= sizeof(*ev) && ev->size <= avail);
	switch (ev->kind) {
	case WW_EVENT_DATA: {
		const struct ww_event_data *d = (const struct ww_event_data *)ev;

		assert(sizeof(*d) + (uint64_t)d->captured <= ev->size && d->dir < 2);
		assert((uint64_t)d->call_at + d->captured <= d->call_bytes);
		break;
	}
	case WW_EVENT_PACKET: {
		const struct ww_event_packet *p = (const struct ww_event_packet *)ev;

		assert(sizeof(*p) + (uint64_t)p->captured <= ev->size && p->dir < 2);
		assert(p->captured <= p->payload_bytes);
		break;
	}
	case WW_EVENT_CLAIM:
		assert(sizeof(struct ww_event_claim) +
			       (uint64_t)((const struct ww_event_claim *)ev)->bytes <=
		       ev->size);
		break;
	case WW_EVENT_CHANGE:
		assert(ev->size >= sizeof(struct ww_event_change) &&
		       ((const struct ww_event_change *)ev)->path_bytes <=
			       sizeof(((const struct ww_event_change *)ev)->path));
		break;
	case WW_EVENT_FLOW_OPEN:
	case WW_EVENT_FLOW_OWNER:
		assert(ev->size >= sizeof(struct ww_event_flow));
		break;
	case WW_EVENT_FLOW_STATE:
	case WW_EVENT_FLOW_STAT:
	case WW_EVENT_FLOW_CLOSE:
		assert(ev->size >= sizeof(struct ww_event_counters));
		break;
	default:
		break;
	}
}

static void note(const struct ww_event *ev)
{
	const struct ww_event_counters *c = (const struct ww_event_counters *)ev;
	const struct ww_event_coverage *v = (const struct ww_event_coverage *)ev;

	seen.count++;
	switch (ev->kind) {
	case WW_EVENT_DATA:
		seen.data[((const struct ww_event_data *)ev)->dir] = true;
		break;
	case WW_EVENT_FLOW_CLOSE:
		seen.closed |= c->how != WW_CLOSE_OPEN && c->how < WW_CLOSE_UNKNOWN;
		seen.sent |= c->bytes_sent > 0;
		seen.counted |= c->bytes_sent > 0 || c->bytes_acked > 0;
		break;
	case WW_EVENT_FLOW_STATE:
	case WW_EVENT_FLOW_STAT:
		seen.sent |= c->bytes_sent > 0;
		seen.counted |= c->bytes_sent > 0 || c->bytes_acked > 0;
		break;
	case WW_EVENT_TICK:
		seen.ticked = true;
		break;
	case WW_EVENT_CLOCK:
		seen.clocked = true;
		break;
	case WW_EVENT_COVERAGE:
		seen.covered |= v->what == WW_COVERAGE_SOCKETS && v->status == WW_PROBE_ATTACHED &&
				(v->detail & COVERS_ALL) == COVERS_ALL;
		seen.watched |= v->what == WW_COVERAGE_FILES && v->status == WW_PROBE_ATTACHED;
		break;
	case WW_EVENT_PROC_EXEC:
		seen.ran = true;
		break;
	case WW_EVENT_PROC_EXIT:
		seen.ended = true;
		break;
	case WW_EVENT_CHANGE: /* of somebody who is watched */
		seen.changed |= ev->actor.pid && ((const struct ww_event_change *)ev)->what;
		break;
	case WW_EVENT_CLAIM:
		seen.claimed = true;
		break;
	default:
		break;
	}
}

/* --- what goes out ------------------------------------------------------------------------------
 */

static bool is(struct ww_slice json, const char *path, const char *text)
{
	struct ww_json_token t;

	return ww_json_path(json, path, &t, NULL) == WW_PARSE_DONE && t.type == WW_JSON_STRING &&
	       ww_slice_eq_str(t.raw, text);
}

/* What the words of a verdict need at the very least. */
static void check_wire(struct ww_slice json)
{
	static const struct {
		const char *verdict;
		bool answered; /* plaintext of both directions */
		bool carried;  /* bytes that the kernel sent */
		bool absence;  /* a view of everything, in time */
	} needs[] = {
		{"CONFIRMED_T1", true, true, false},
		{"CONFIRMED_T2", true, true, false},
		{"ACCEPTED_ASYNC", true, true, false},
		{"EFFECT_MISSING", true, true, true},
		{"PARTIAL_EFFECT", true, true, true},
		{"DUPLICATE_EFFECT", true, true, false},
		{"POSSIBLE_DUPLICATE", true, true, false},
		{"ACTED_LATE", true, false, false},
		{"RESULT_ALTERED", true, false, false},
		{"MASKED_ERROR", true, false, true},
		{"NO_ACTION", false, false, true},
		{"SUSPECT_NO_ACTION", false, false, true},
		{"ATTEMPTED_FAILED", false, false, true},
		{"CALL_EMITTED_NOT_EXECUTED", false, false, true},
		{"RESULT_INVENTED", false, false, true},
		{"REPLY_LOST", false, false, true},
		{"ACTED_UNDECODED", false, false, false},
		{"ACTED_ELSEWHERE", false, false, false},
		{"PENDING", false, false, false},
		{"DEFERRED", false, false, false},
		{"CONTROL_FIRED", true, true, false},
		{"ACTED_DESPITE_DENY", true, false, true},
		{"CONTROL_AFTER_ACTION", true, false, true},
		{"CONTROL_STALE", true, false, true},
		{"SUBJECT_MISMATCH", true, false, true},
		{"CONTROL_ERRORED_OPEN", false, false, true},
		{"CONTROL_MISSING", false, false, true},
		{"NARRATED_ONLY", false, false, true},
	};

	for (unsigned i = 0; i < WW_ARRAY_SIZE(needs); i++) {
		if (!is(json, "$.verdict", needs[i].verdict))
			continue;
		assert(seen.claimed || seen.data[WW_DIR_IN]);
		assert(!needs[i].answered || (seen.data[WW_DIR_IN] && seen.data[WW_DIR_OUT]));
		assert(!needs[i].carried || seen.sent);
		assert(!needs[i].absence || (seen.covered && seen.ticked));
		if (is(json, "$.verdict", "REPLY_LOST"))
			assert(seen.closed && seen.data[WW_DIR_OUT]);
		if (is(json, "$.verdict", "NO_ACTION"))
			assert(seen.claimed && seen.clocked);
		return;
	}
	assert(is(json, "$.verdict", "NOT_APPLICABLE"));
}

/* Of a program or file. */
static void check_local(struct ww_slice json)
{
	static const struct {
		const char *verdict;
		bool done;    /* a run or a change */
		bool absence; /* a view of everything, in time */
	} needs[] = {
		{"CONFIRMED_T1", true, false}, {"ACTED_LATE", true, false},
		{"MASKED_ERROR", true, true},  {"ATTEMPTED_FAILED", false, true},
		{"NO_ACTION", false, true},    {"CALL_EMITTED_NOT_EXECUTED", false, true},
		{"PENDING", false, false},     {"DEFERRED", false, false},
	};
	bool file = is(json, "$.local.sought", "change of a declared file");

	assert(file || is(json, "$.local.sought", "run of a declared program"));
	for (unsigned i = 0; i < WW_ARRAY_SIZE(needs); i++) {
		if (!is(json, "$.verdict", needs[i].verdict))
			continue;
		assert(seen.claimed || seen.data[WW_DIR_IN]);
		assert(!needs[i].done || (file ? seen.changed : seen.ran));
		assert(!needs[i].absence || (seen.covered && seen.ticked));
		assert(!needs[i].absence || !file || seen.watched);
		if (is(json, "$.verdict", "MASKED_ERROR") || is(json, "$.verdict", "ACTED_LATE"))
			assert(file ? seen.clocked : seen.ended);
		return;
	}
	assert(!"a verdict that no program or file can have");
}

static void check_verdict(struct ww_slice json)
{
	struct ww_json_token t;

	if (is(json, "$.verdict", "UNVERIFIABLE"))
		return;
	if (ww_json_path(json, "$.local", &t, NULL) == WW_PARSE_DONE)
		check_local(json);
	else
		check_wire(json);
}

/* A violation rests on bytes that were read and on the kernel's counters, the good end on a view of
 * everything, in time. */
static void check_path(struct ww_slice json)
{
	assert(seen.data[WW_DIR_OUT]);
	if (is(json, "$.verdict", "VIOLATION"))
		assert(seen.counted || seen.data[WW_DIR_IN]);
	else if (is(json, "$.verdict", "WITHIN_POLICY_TO_HORIZON"))
		assert(seen.covered && seen.ticked);
	else
		assert(is(json, "$.verdict", "UNVERIFIABLE") ||
		       is(json, "$.verdict", "NOT_APPLICABLE") ||
		       (is(json, "$.verdict", "CLAIM_CONTRADICTED") && seen.claimed));
}

static void take(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	assert(kind > 0 && kind < WW_RECORD_MAX);
	assert(json.n > 2 && json.n <= WW_RECORD_BYTES_MAX && json.p[0] == '{');
	assert(whole_json(json));
	if (kind == WW_RECORD_VERDICT)
		check_verdict(json);
	if (kind == WW_RECORD_PATH)
		check_path(json);
	if (kind == WW_RECORD_CROSSING)
		assert(seen.counted);
}

static struct ww_pipeline *begin(const struct ww_pipeline_config *cfg)
{
	struct ww_contract_error error = {0};
	struct ww_pipeline *p = NULL;
	int r = ww_pipeline_new(cfg, take, NULL, &p, &error);

	assert(r == 0 || r == -EINVAL); /* contracts of a tape */
	seen = (struct seen){0};
	return p;
}

static void end(struct ww_pipeline *p)
{
	struct ww_pipeline_stats s;

	ww_pipeline_finish(p);
	s = ww_pipeline_stats(p);
	assert(s.live_flows == 0 && s.body_bytes == 0 && s.events == seen.count);
	ww_pipeline_free(p);
}

static void feed(struct ww_pipeline *p, const struct ww_event *ev)
{
	note(ev);
	ww_pipeline_feed(p, ev);
}

/* --- the two ways in ----------------------------------------------------------------------------
 */

static const struct ww_policy *rules(void)
{
	static struct ww_policy *p;
	struct ww_contract_error error = {0};

	if (!p && ww_policy_parse(WW_SLICE_LIT(policy), &p, &error) < 0)
		abort();
	return p;
}

static void play_events(struct ww_slice in)
{
	struct ww_pipeline_config cfg = {.contracts = WW_SLICE_LIT(contracts),
					 .receiver = {.family = 2, .port = 4318}};
	struct ww_cursor c = ww_cursor(in);
	struct ww_pipeline *p;

	cfg.receiver.addr[0] = 127;
	cfg.receiver.addr[3] = 1;
	cfg.policy = rules();
	p = begin(&cfg);
	assert(p);
	while (ww_cursor_left(&c) >= 2 && seen.count < EVENTS_MAX) {
		size_t n = ww_cursor_le16(&c), avail;
		struct ww_event head = {0}, *ev;
		struct ww_slice bytes;

		bytes = ww_cursor_take(&c, n < ww_cursor_left(&c) ? n : ww_cursor_left(&c));
		memcpy(&head, bytes.p, bytes.n < sizeof(head) ? bytes.n : sizeof(head));
		avail = head.size <= EVENT_BYTES_MAX ? head.size : bytes.n;
		ev = calloc(1, avail ? avail : 1); /* exactly: a read behind it shows */
		if (!ev)
			abort();
		memcpy(ev, bytes.p, bytes.n < avail ? bytes.n : avail);
		if (avail >= sizeof(*ev) && ww_event_check(ev, avail) == 0) {
			check_accepted(ev, avail);
			feed(p, ev);
		}
		free(ev);
	}
	end(p);
}

static void play_tape(struct ww_slice in)
{
	static int fd = -1;
	struct ww_pipeline_config cfg;
	WW_AUTO_BUF struct ww_buf memory;
	struct ww_tape_reader *r = NULL;
	struct ww_pipeline *p = NULL;
	const struct ww_event *ev;
	char path[32];
	int e = 0;

	if (fd < 0)
		fd = memfd_create("tape", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, in.p, in.n, 0) != (ssize_t)in.n)
		abort();
	ww_buf_init(&memory, WW_MANIFEST_BYTES_MAX);
	if (ww_tape_open(path, &r) < 0)
		return;
	if (ww_manifest_read(ww_tape_manifest(r), &memory, &cfg) == 0) {
		cfg.policy = rules();
		p = begin(&cfg);
	}
	while (p && seen.count < EVENTS_MAX && (e = ww_tape_next(r, &ev)) == 0) {
		check_accepted(ev, ev->size);
		feed(p, ev);
	}
	assert(e == 0 || e == -ENODATA || e == -EPIPE || e == -EBADMSG);
	if (p)
		end(p);
	ww_tape_reader_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] & 1)
		play_tape(ww_slice(data + 1, size - 1));
	else
		play_events(ww_slice(data + 1, size - 1));
	return 0;
}
