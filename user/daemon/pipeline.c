/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/pipeline.h"

#include <errno.h>
#include <stdio.h>

#include "action/model.h"
#include "claim/otlp.h"
#include "flow/guarded.h"
#include "join/deeds.h"
#include "judge/path.h"
#include "proto/named.h"
#include "proto/proto.h"

#define GRACE_DEFAULT_NS   2000000000ull
#define SKEW_DEFAULT_NS    50000000ull
#define COVERAGE_PERIOD_NS 60000000000ull
#define ACTOR_KEPT_NS \
	600000000000ull /* exited processes stay known for ten minutes: spans come late */
#define SCOPE_KEPT_NS        1200000000000ull /* longer: an action of then may be judged once more */
#define CLOCK_STEP_NS        20000000ull      /* slewing between two samples stays below this */
#define LOOPBACK_PENDING_MAX 1024
#define LOOPBACK_WAIT_NS     200000000ull /* the other end's accept event may come a little later */

/* A loopback connection whose other end may still turn out to be in scope. */
struct loopback {
	uint64_t cookie;
	uint64_t cgroup;
	struct ww_boot t;
	struct ww_endpoint peer;
};

struct ww_pipeline {
	struct ww_pipeline_stats stats;
	ww_record_fn emit;
	void *ctx;
	struct ww_digest_key key;
	struct ww_clock_map clock;
	struct ww_endpoint receiver;
	uint32_t receiver_netns;
	struct ww_boot now;
	uint64_t coverage_written_ns;
	uint64_t judge_refused; /* of ww_judge_counts and ww_paths_refused, already reported */
	struct ww_contracts *contracts;
	const struct ww_tables *tables;
	struct ww_phrases *phrases; /* NULL: prose is not read */
	struct ww_phrase_scanner *scanner;
	struct ww_actors *actors;
	struct ww_coverage *coverage;
	struct ww_flows *flows;
	struct ww_proto *proto;
	struct ww_lookups *lookups;
	struct ww_named *named;
	struct ww_judge *judge;
	struct ww_paths *paths;
	struct ww_attestations *attestations;
	struct ww_buf record;
	struct ww_buf attested;             /* a verdict with what was attested of its action */
	const struct ww_event_claim *claim; /* being decoded */
	struct ww_guarded guarded;
	bool dying; /* being freed: parsers end, nothing is recorded */
	unsigned loopback_count;
	struct loopback loopbacks[LOOPBACK_PENDING_MAX];
};

static void emit_record(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	struct ww_pipeline *p = ctx;

	p->stats.records++;
	if (kind == WW_RECORD_VERDICT)
		p->stats.verdicts++;
	p->emit(p->ctx, kind, json);
}

/* What the judge says: a verdict names what was attested of its action. When there is no room for
 * that, what the wire gave stands alone, and the loss is told. */
static void emit_judged(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	struct ww_pipeline *p = ctx;
	int r = kind == WW_RECORD_VERDICT
			? ww_attestations_verdict(p->attestations, json, &p->attested)
			: 0;

	if (r < 0)
		ww_coverage_loss(p->coverage, 0, p->now, WW_LOSS_MEMORY, 1, 0);
	emit_record(p, kind, r == 1 ? ww_buf_slice(&p->attested) : json);
}

/* The same of paths. */
static void emit_path(void *ctx, enum ww_record_kind kind, struct ww_slice json)
{
	struct ww_pipeline *p = ctx;
	int r = kind == WW_RECORD_PATH && p->attestations
			? ww_attestations_path(p->attestations, json, &p->attested)
			: 0;

	if (r < 0)
		ww_coverage_loss(p->coverage, 0, p->now, WW_LOSS_MEMORY, 1, 0);
	emit_record(p, kind, r == 1 ? ww_buf_slice(&p->attested) : json);
}

static struct ww_wall wall_of(const struct ww_pipeline *p, struct ww_boot t)
{
	return ww_clock_wall(&p->clock, t);
}

static void begin(struct ww_pipeline *p, struct ww_jsonw *w)
{
	ww_buf_clear(&p->record);
	ww_jsonw_init(w, &p->record);
}

/* A record that outgrew its ceiling is reported instead of it: nothing disappears silently. */
static void end(struct ww_pipeline *p, const struct ww_jsonw *w, enum ww_record_kind kind)
{
	if (ww_jsonw_ok(w)) {
		emit_record(p, kind, ww_buf_slice(&p->record));
		return;
	}
	p->stats.memory_refused++;
	ww_coverage_loss(p->coverage, 0, p->now, WW_LOSS_MEMORY, 1, 0);
}

static void lost_memory(struct ww_pipeline *p, uint64_t cgroup)
{
	p->stats.memory_refused++;
	ww_coverage_loss(p->coverage, cgroup, p->now, WW_LOSS_MEMORY, 1, 0);
}

/* --- flows and exchanges ---------------------------------------------------------------------- */

/* Loopback addresses mean the same nowhere but in one network namespace. */
static bool is_receiver(const struct ww_pipeline *p, const struct ww_flow *f)
{
	return p->receiver.port != 0 && ww_endpoint_eq(&f->peer, &p->receiver) &&
	       (!p->receiver_netns || !f->netns || f->netns == p->receiver_netns);
}

static void note_loopback(struct ww_pipeline *p, const struct ww_flow *f)
{
	struct loopback *l;

	if (!ww_endpoint_loopback(&f->peer) || f->role == WW_FLOW_ACCEPT || f->receiver)
		return;
	if (p->loopback_count >= LOOPBACK_PENDING_MAX) {
		ww_coverage_loopback(p->coverage, f->cgroup, f->t_open, &f->peer);
		return;
	}
	l = &p->loopbacks[p->loopback_count++];
	*l = (struct loopback){f->cookie, f->cgroup, f->t_open, f->peer};
}

static void flow_opened(void *ctx, struct ww_flow *f)
{
	struct ww_pipeline *p = ctx;

	f->receiver = f->role != WW_FLOW_ACCEPT && is_receiver(p, f);
	/* A connected datagram socket may never send (address selection does that): see
	 * flow_closed. */
	if (f->type != 2 || f->role == WW_FLOW_SEND)
		note_loopback(p, f);
}

static void flow_bytes(void *ctx, struct ww_flow *f, enum ww_dir dir, uint64_t offset,
		       struct ww_slice bytes, struct ww_boot t)
{
	struct ww_pipeline *p = ctx;

	ww_proto_bytes(p->proto, f, dir, offset, bytes, t);
}

static void flow_gap(void *ctx, struct ww_flow *f, enum ww_dir dir, uint64_t offset, uint64_t bytes,
		     struct ww_boot t)
{
	struct ww_pipeline *p = ctx;

	ww_proto_gap(p->proto, f, dir, offset, bytes, t);
}

static void write_flow(struct ww_pipeline *p, struct ww_flow *f)
{
	struct ww_lookup_counts counts;
	struct ww_jsonw w;
	bool dns = ww_lookups_closed(p->lookups, f->cookie, &counts); /* writes records itself */

	begin(p, &w);
	ww_flow_write(f, &p->clock, p->tables, &w);
	if (dns)
		ww_lookup_write_counts(&counts, &w);
	ww_named_write(f, &w);
	ww_jsonw_end_object(&w);
	end(p, &w, WW_RECORD_FLOW);
}

static void flow_closed(void *ctx, struct ww_flow *f)
{
	struct ww_pipeline *p = ctx;

	ww_proto_closed(p->proto, f);
	if (p->dying) {
		ww_named_release(f);
		return;
	}
	if (f->type == 2 && f->role == WW_FLOW_CONNECT && f->bytes_sent > 0)
		note_loopback(p, f);
	write_flow(p, f);
	ww_paths_flow(p->paths, f);
	ww_named_release(f);
	ww_judge_flow(p->judge, f);
}

static void flow_lost(void *ctx, const struct ww_event_data *ev, enum ww_loss_cause cause)
{
	struct ww_pipeline *p = ctx;

	if (!p->dying)
		ww_coverage_loss(p->coverage, ev->h.cgroup, (struct ww_boot){ev->h.time_ns}, cause,
				 1, ev->captured);
}

static void write_finding(struct ww_pipeline *p, const char *subject, const char *what)
{
	char when[WW_RFC3339_MAX];
	struct ww_jsonw w;

	begin(p, &w);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_cstr(&w, "kind", "finding");
	ww_jsonw_cstr(&w, "id", subject);
	ww_wall_rfc3339(wall_of(p, p->now), when);
	ww_jsonw_cstr(&w, "t", when);
	ww_jsonw_cstr(&w, "finding", what);
	ww_jsonw_end_object(&w);
	end(p, &w, WW_RECORD_FINDING);
}

static void write_findings(struct ww_pipeline *p, const struct ww_exchange *x, uint32_t findings)
{
	char id[WW_EXCHANGE_ID_MAX];

	if (!(findings & (WW_X_MALFORMED_REQUEST | WW_X_MALFORMED_RESPONSE | WW_X_MALFORMED_CODING |
			  WW_X_MALFORMED_BODY | WW_X_BOMB | WW_X_LIMIT)))
		return;
	ww_exchange_id(x, id);
	for (uint32_t bit = 1; bit && bit <= findings; bit <<= 1) {
		if (findings & bit)
			write_finding(p, id, ww_exchange_finding_name(bit));
	}
}

static void message_refused(void *ctx, const struct ww_flow *f)
{
	struct ww_pipeline *p = ctx;

	if (!p->dying)
		lost_memory(p, f->cgroup);
}

/* NULL: it is none, or there was no memory. */
static struct ww_model_call *decode_model_call(struct ww_pipeline *p, const struct ww_exchange *x)
{
	struct ww_model_call *call = NULL;
	struct ww_jsonw w;
	int r = ww_model_decode(x, &p->key, &call);

	if (r < 0) {
		if (r != -ENOENT)
			lost_memory(p, x->cgroup);
		return NULL;
	}
	p->stats.model_calls++;
	if (p->scanner)
		ww_model_read_prose(call, p->scanner, &p->key);
	begin(p, &w);
	ww_model_write(call, &p->clock, &w);
	end(p, &w, WW_RECORD_MODEL_CALL);
	write_findings(p, x, call->findings & ~x->findings);
	return call;
}

/* As above. */
static struct ww_mcp_call *decode_mcp_call(struct ww_pipeline *p, const struct ww_exchange *x)
{
	struct ww_mcp_call *mcp = NULL;
	struct ww_jsonw w;
	int r = ww_mcp_decode(x, &p->key, &mcp);

	if (r < 0) {
		if (r == -ENOMEM)
			lost_memory(p, x->cgroup);
		return NULL;
	}
	begin(p, &w);
	ww_mcp_write(mcp, x, &p->clock, &w);
	end(p, &w, WW_RECORD_MCP_CALL);
	return mcp;
}

static void exchange_done(void *ctx, const struct ww_exchange *x)
{
	WW_AUTO(ww_model_call_free_auto) struct ww_model_call *call = NULL;
	WW_AUTO(ww_mcp_call_free_auto) struct ww_mcp_call *mcp = NULL;
	struct ww_pipeline *p = ctx;
	struct ww_jsonw w;

	if (p->dying)
		return;
	p->stats.exchanges++;
	ww_actors_exchange(p->actors, x->actor);
	begin(p, &w);
	ww_exchange_write(x, &p->clock, &w);
	end(p, &w, WW_RECORD_EXCHANGE);
	write_findings(p, x, x->findings);
	call = decode_model_call(p, x);
	mcp = call ? NULL : decode_mcp_call(p, x);
	if (ww_judge_exchange(p->judge, x, call, mcp) < 0)
		lost_memory(p, x->cgroup);
	if (ww_paths_exchange(p->paths, x, call) < 0)
		lost_memory(p, x->cgroup);
}

/* --- names --------------------------------------------------------------------------------------
 */

static void lookup_done(void *ctx, const struct ww_lookup *l)
{
	struct ww_pipeline *p = ctx;
	struct ww_jsonw w;

	begin(p, &w);
	ww_lookup_write(l, &p->clock, &w);
	end(p, &w, WW_RECORD_LOOKUP);
	if (l->answer && ww_named_answer(p->named, l) < 0)
		lost_memory(p, l->cgroup);
	ww_paths_lookup(p->paths, l);
}

static void lookup_unread(void *ctx, uint64_t cgroup)
{
	struct ww_pipeline *p = ctx;

	if (ww_named_unread(p->named, cgroup) < 0)
		lost_memory(p, cgroup);
}

/* Who connects, or sends to somebody for the first time, has the address from somewhere. */
static void feed_open(struct ww_pipeline *p, const struct ww_event *ev)
{
	struct ww_flow *f = ww_flows_get(p->flows, ev->cookie);

	if (f && (f->ip_proto == 6 || f->ip_proto == 17) && f->peer.family &&
	    ww_named_connect(p->named, f, (struct ww_boot){ev->time_ns}) < 0)
		lost_memory(p, ev->cgroup);
}

/* --- claims ----------------------------------------------------------------------------------- */

/* The connection by which a claim came, NULL: its sender is not watched. */
static const struct ww_flow *sender_of(struct ww_pipeline *p, const struct ww_event_claim *ev)
{
	const struct ww_flow *f = ww_flows_by_ends(p->flows, &ev->from, &ev->to);

	/* Loopback addresses mean the same nowhere but in one network namespace. */
	return f && p->receiver_netns && f->netns != p->receiver_netns ? NULL : f;
}

static void span_decoded(void *ctx, struct ww_span *span)
{
	struct ww_pipeline *p = ctx;
	const struct ww_flow *f = sender_of(p, p->claim);
	struct ww_jsonw w;

	span->received.ns = p->claim->h.time_ns;
	if (f) {
		span->actor = f->owner;
		span->root = f->root;
		span->cgroup = f->cgroup;
	}
	p->stats.spans++;
	begin(p, &w);
	ww_span_write(span, &p->key, &w);
	end(p, &w, WW_RECORD_SPAN);
	if (ww_paths_span(p->paths, span) < 0)
		lost_memory(p, span->cgroup);
	if (ww_judge_span(p->judge, span) < 0)
		lost_memory(p, span->cgroup);
	ww_span_done(span);
}

static void claim_finding(struct ww_pipeline *p, const struct ww_event_claim *ev, const char *what)
{
	const struct ww_flow *f = sender_of(p, ev);
	char id[WW_FLOW_ID_MAX] = "otlp";

	if (f)
		ww_flow_id(f->cookie, id);
	write_finding(p, id, what);
}

static void feed_claim(struct ww_pipeline *p, const struct ww_event_claim *ev)
{
	struct ww_otlp_result result = {0};
	int r;

	p->claim = ev;
	r = ww_otlp_decode(ev->encoding, ww_slice(ev->body, ev->bytes), span_decoded, p, &result);
	p->claim = NULL;
	p->stats.spans_rejected += result.rejected;
	if (r == -ENOMEM)
		lost_memory(p, 0);
	else if (r < 0)
		claim_finding(p, ev, "MALFORMED_OTLP");
	else if (result.rejected)
		claim_finding(p, ev, "REJECTED_SPANS");
}

/* --- processes, coverage, time ------------------------------------------------------------------
 */

static void write_actor(struct ww_pipeline *p, const struct ww_event *ev)
{
	const struct ww_actor *a = ww_actors_get(p->actors, ev->actor);
	struct ww_jsonw w;

	if (!a)
		return;
	begin(p, &w);
	ww_actor_write(a, wall_of(p, (struct ww_boot){ev->time_ns}), &w);
	end(p, &w, WW_RECORD_ACTOR);
}

static void write_loss(struct ww_pipeline *p, const struct ww_event_loss *ev)
{
	char when[WW_RFC3339_MAX], id[48];
	struct ww_jsonw w;

	begin(p, &w);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_cstr(&w, "kind", "loss");
	snprintf(id, sizeof(id), "l-%llx-%u", (unsigned long long)ev->h.time_ns, ev->cause);
	ww_jsonw_cstr(&w, "id", id);
	ww_wall_rfc3339(wall_of(p, (struct ww_boot){ev->h.time_ns}), when);
	ww_jsonw_cstr(&w, "t", when);
	ww_jsonw_id64(&w, "cgroup", ev->h.cgroup);
	ww_jsonw_cstr(&w, "cause", ww_loss_cause_name(ev->cause));
	ww_jsonw_u64(&w, "events", ev->events);
	ww_jsonw_u64(&w, "bytes", ev->bytes);
	ww_jsonw_end_object(&w);
	end(p, &w, WW_RECORD_LOSS);
}

static void write_coverage(void *ctx, uint64_t cgroup)
{
	struct ww_pipeline *p = ctx;
	struct ww_jsonw w;

	begin(p, &w);
	ww_coverage_write(p->coverage, cgroup, p->now, wall_of(p, p->now), &w);
	if (p->record.n > 0)
		end(p, &w, WW_RECORD_COVERAGE);
}

/* The other end is a watched socket: nothing left the view. The own end's port is known only after
 * the connect that announced it; the flow is still there, it lingers for longer than is waited. */
static bool other_end_watched(struct ww_pipeline *p, const struct loopback *l)
{
	const struct ww_flow *own = ww_flows_get(p->flows, l->cookie), *other;

	if (!own || !own->local.port)
		return false;
	other = ww_flows_by_ends(p->flows, &l->peer, &own->local);
	return other && other->netns == own->netns;
}

static void settle_loopbacks(struct ww_pipeline *p, bool all)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < p->loopback_count; i++) {
		struct loopback *l = &p->loopbacks[i];

		if (!all && l->t.ns + LOOPBACK_WAIT_NS > p->now.ns) {
			p->loopbacks[kept++] = *l;
			continue;
		}
		if (!other_end_watched(p, l))
			ww_coverage_loopback(p->coverage, l->cgroup, l->t, &l->peer);
	}
	p->loopback_count = kept;
}

static void report_judge_losses(struct ww_pipeline *p)
{
	uint64_t refused = ww_judge_counts(p->judge).memory_refused + ww_paths_refused(p->paths);
	uint64_t fresh = refused - p->judge_refused;

	p->judge_refused = refused;
	p->stats.memory_refused += fresh;
	if (fresh)
		ww_coverage_loss(p->coverage, 0, p->now, WW_LOSS_MEMORY, fresh, 0);
}

static void feed_tick(struct ww_pipeline *p, const struct ww_event *ev)
{
	struct ww_boot now = {ev->time_ns};

	p->now = now;
	settle_loopbacks(p, false);
	ww_flows_tick(p->flows, now);
	ww_lookups_tick(p->lookups, now);
	report_judge_losses(p);
	ww_judge_tick(p->judge, now);
	ww_paths_tick(p->paths, now);
	if (now.ns > ACTOR_KEPT_NS)
		ww_actors_expire(p->actors, (struct ww_boot){now.ns - ACTOR_KEPT_NS});
	if (now.ns > SCOPE_KEPT_NS)
		ww_coverage_expire(p->coverage, (struct ww_boot){now.ns - SCOPE_KEPT_NS});
	if (p->coverage_written_ns == 0)
		p->coverage_written_ns = now.ns;
	if (now.ns - p->coverage_written_ns >= COVERAGE_PERIOD_NS) {
		p->coverage_written_ns = now.ns;
		/* What was left was written then. */
		ww_coverage_each(p->coverage, false, write_coverage, p);
	}
}

static void begin_life(struct ww_pipeline *p, const struct ww_event *ev, const char *what,
		       struct ww_slice text, struct ww_jsonw *w)
{
	char when[WW_RFC3339_MAX], id[40];

	begin(p, w);
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "kind", "life");
	snprintf(id, sizeof(id), "d-%llx-%x", (unsigned long long)ev->time_ns, ev->kind);
	ww_jsonw_cstr(w, "id", id);
	ww_wall_rfc3339(wall_of(p, (struct ww_boot){ev->time_ns}), when);
	ww_jsonw_cstr(w, "t", when);
	ww_jsonw_cstr(w, "event", what);
	ww_jsonw_str(w, "text", text);
}

static void write_life(struct ww_pipeline *p, const struct ww_event *ev, const char *what,
		       struct ww_slice text)
{
	struct ww_jsonw w;

	begin_life(p, ev, what, text, &w);
	if (ev->cgroup)
		ww_jsonw_id64(&w, "cgroup", ev->cgroup);
	ww_jsonw_end_object(&w);
	end(p, &w, WW_RECORD_LIFE);
}

/* Whether changes of a declared file are seen, and why not. */
static void write_watched(struct ww_pipeline *p, const struct ww_event_coverage *ev)
{
	bool on = ev->status == WW_PROBE_ATTACHED;
	struct ww_jsonw w;

	begin_life(p, &ev->h, on ? "files-watched" : "files-unwatched",
		   ww_slice(ev->path, ev->path_bytes), &w);
	if (ev->h.cgroup)
		ww_jsonw_id64(&w, "cgroup", ev->h.cgroup);
	if (!on)
		ww_jsonw_cstr(&w, "why", ww_deeds_why(ev->detail));
	ww_jsonw_end_object(&w);
	end(p, &w, WW_RECORD_LIFE);
}

static void write_attached(struct ww_pipeline *p, const struct ww_event_coverage *ev)
{
	struct ww_slice text = ww_slice(ev->path, ev->path_bytes);

	if (ev->what == WW_COVERAGE_TLS_FILE)
		write_life(p, &ev->h,
			   ev->status == WW_PROBE_ATTACHED ? "probes-attached" : "probes-failed",
			   text);
	else if (ev->what == WW_COVERAGE_SOCKETS)
		write_life(p, &ev->h,
			   ev->status == WW_PROBE_ATTACHED ? "sockets-covered"
							   : "sockets-uncovered",
			   text);
	else if (ev->what == WW_COVERAGE_GAP)
		write_life(p, &ev->h, "capture-gap", text);
	else if (ev->what == WW_COVERAGE_FILES)
		write_watched(p, ev);
}

/* The bytes of a file that probes were set in. */
static void write_file(struct ww_pipeline *p, const struct ww_event_file *ev)
{
	static const char *const why[] = {[WW_FILE_CHANGED] = "changed",
					  [WW_FILE_TOO_LARGE] = "too large",
					  [WW_FILE_UNREADABLE] = "unreadable"};
	bool known = ev->status == WW_FILE_DIGESTED;
	struct ww_jsonw w;

	begin_life(p, &ev->h, "tls-library", ww_slice(ev->path, ev->path_bytes), &w);
	ww_jsonw_object(&w, "library");
	ww_jsonw_u64(&w, "bytes", ev->bytes);
	if (ev->build_id_bytes)
		ww_jsonw_hex(&w, "buildId", ww_slice(ev->build_id, ev->build_id_bytes));
	else
		ww_jsonw_null(&w, "buildId");
	if (known)
		ww_jsonw_hex(&w, "sha256", ww_slice(ev->sha256, sizeof(ev->sha256)));
	else
		ww_jsonw_null(&w, "sha256");
	if (!known)
		ww_jsonw_cstr(&w, "why",
			      ev->status < WW_ARRAY_SIZE(why) && why[ev->status] ? why[ev->status]
										 : "unknown");
	ww_jsonw_end_object(&w);
	ww_jsonw_end_object(&w);
	end(p, &w, WW_RECORD_LIFE);
}

/* --- guard --------------------------------------------------------------------------------------
 */

static void write_guard(struct ww_pipeline *p, const struct ww_event_guard *ev)
{
	const struct ww_actor *a = ww_actors_get(p->actors, ev->h.actor);
	struct ww_jsonw w;

	begin(p, &w);
	ww_guarded_write(&p->guarded, ev, a ? a->exe : NULL,
			 wall_of(p, (struct ww_boot){ev->h.time_ns}), &w);
	end(p, &w, WW_RECORD_GUARD);
}

static void write_guard_list(struct ww_pipeline *p, const struct ww_event_guard_list *ev)
{
	struct ww_jsonw w;

	ww_guarded_list(&p->guarded, ev);
	begin_life(p, &ev->h, "guard-list", ww_slice(ev->text, ev->text_bytes), &w);
	ww_guarded_list_write(ev, &w);
	ww_jsonw_end_object(&w);
	end(p, &w, WW_RECORD_LIFE);
}

/* True: the wall clock moved against the boot clock by more than both samples can be wrong. */
static bool note_clock_step(struct ww_pipeline *p, const struct ww_event_clock *ev)
{
	uint64_t expected = ww_clock_wall(&p->clock, (struct ww_boot){ev->h.time_ns}).ns;
	uint64_t moved = ev->wall_ns > expected ? ev->wall_ns - expected : expected - ev->wall_ns;
	char text[64];

	if (!p->clock.valid || moved <= p->clock.bound_ns + ev->bound_ns + CLOCK_STEP_NS)
		return false;
	snprintf(text, sizeof(text), "%s%llu ns", ev->wall_ns > expected ? "+" : "-",
		 (unsigned long long)moved);
	write_life(p, &ev->h, "clock-step", ww_slice_str(text));
	return true;
}

static void feed_clock(struct ww_pipeline *p, const struct ww_event_clock *ev)
{
	struct ww_boot now = {ev->h.time_ns};
	bool stepped = note_clock_step(p, ev);

	p->clock = (struct ww_clock_map){.boot = now,
					 .wall = {ev->wall_ns},
					 .bound_ns = ev->bound_ns,
					 .valid = true,
					 .since = stepped ? now : p->clock.since};
}

void ww_pipeline_feed(struct ww_pipeline *p, const struct ww_event *ev)
{
	p->stats.events++;
	if (ev->time_ns > p->now.ns)
		p->now.ns = ev->time_ns;
	if (ww_actors_feed(p->actors, ev) < 0 || ww_coverage_feed(p->coverage, ev) < 0 ||
	    ww_flows_feed(p->flows, ev) < 0 || ww_lookups_feed(p->lookups, ev) < 0 ||
	    ww_judge_event(p->judge, ev) < 0)
		lost_memory(p, ev->cgroup);
	switch (ev->kind) {
	case WW_EVENT_TICK:
		feed_tick(p, ev);
		break;
	case WW_EVENT_CLOCK:
		feed_clock(p, (const struct ww_event_clock *)ev);
		break;
	case WW_EVENT_CLAIM:
		feed_claim(p, (const struct ww_event_claim *)ev);
		break;
	case WW_EVENT_COVERAGE:
		write_attached(p, (const struct ww_event_coverage *)ev);
		break;
	case WW_EVENT_FILE:
		write_file(p, (const struct ww_event_file *)ev);
		break;
	case WW_EVENT_LOSS:
		write_loss(p, (const struct ww_event_loss *)ev);
		break;
	case WW_EVENT_PROC_EXEC:
	case WW_EVENT_PROC_EXIT:
		write_actor(p, ev);
		break;
	case WW_EVENT_GUARD:
		write_guard(p, (const struct ww_event_guard *)ev);
		break;
	case WW_EVENT_GUARD_LIST:
		write_guard_list(p, (const struct ww_event_guard_list *)ev);
		break;
	case WW_EVENT_FLOW_OPEN:
		feed_open(p, ev);
		break;
	case WW_EVENT_SCOPE:
		if (!((const struct ww_event_scope *)ev)->entered) {
			write_coverage(p, ev->cgroup);
			ww_named_left(p->named, ev->cgroup);
		}
		break;
	default:
		break;
	}
	ww_paths_event(p->paths, ev);
}

int ww_pipeline_attest(struct ww_pipeline *p, const struct ww_attest_ask *ask,
		       struct ww_attest_answer *ret, struct ww_errtext *why)
{
	return ww_attestations_import(p->attestations, ask, &p->clock, emit_record, p, ret, why);
}

void ww_pipeline_finish(struct ww_pipeline *p)
{
	settle_loopbacks(p, true);
	ww_flows_finish(p->flows, p->now);
	ww_lookups_finish(p->lookups);
	report_judge_losses(p);
	ww_judge_finish(p->judge, p->now);
	report_judge_losses(p);
	ww_paths_finish(p->paths, p->now);
	report_judge_losses(p);
	ww_coverage_each(p->coverage, true, write_coverage, p);
}

struct ww_flows *ww_pipeline_flows(struct ww_pipeline *p)
{
	return p->flows;
}

const struct ww_contracts *ww_pipeline_declared(const struct ww_pipeline *p)
{
	return p->contracts;
}

struct ww_sha256 ww_pipeline_contracts(const struct ww_pipeline *p)
{
	return p->contracts->digest;
}

struct ww_pipeline_stats ww_pipeline_stats(const struct ww_pipeline *p)
{
	struct ww_pipeline_stats s = p->stats;
	struct ww_flow_stats f = ww_flows_stats(p->flows);
	uint64_t refused = 0;

	s.unbound_sessions = f.unbound;
	s.live_flows = f.live;
	s.malformed_events = f.malformed;
	ww_proto_memory(p->proto, &s.body_bytes, &refused);
	s.memory_refused += refused + f.refused;
	return s;
}

struct process_list {
	struct ww_jsonw *w;
	uint64_t total;
};

static void write_process(void *ctx, const struct ww_actor *a)
{
	struct process_list *list = ctx;
	struct ww_jsonw *w = list->w;
	const char *reason = NULL;

	if (a->exited.ns || list->total++ >= WW_STATUS_PROCESSES_MAX)
		return;
	if (a->tls_files == 0)
		reason = a->opaque ? "TLS_OPAQUE" : "NO_TLS_LIBRARY";
	else if (a->tls_events == 0)
		reason = "NO_TLS_CALL_YET";
	else if (a->tls_bound == 0)
		reason = "NO_SOCKET_KNOWN";
	else if (a->exchanges == 0)
		reason = "NOTHING_DECODED_YET";
	ww_jsonw_object(w, NULL);
	ww_jsonw_u64(w, "pid", a->key.pid);
	ww_jsonw_cstr(w, "comm", a->comm);
	ww_jsonw_id64(w, "cgroup", a->cgroup);
	ww_jsonw_bool(w, "attached", a->tls_files > 0);
	ww_jsonw_bool(w, "firing", a->tls_events > 0);
	ww_jsonw_bool(w, "bound", a->tls_bound > 0);
	ww_jsonw_bool(w, "verified", a->exchanges > 0);
	ww_jsonw_cstr(w, "reason", reason);
	ww_jsonw_end_object(w);
}

void ww_pipeline_status(const struct ww_pipeline *p, struct ww_jsonw *w)
{
	struct process_list list = {.w = w};

	ww_jsonw_array(w, "processes");
	ww_actors_each(p->actors, write_process, &list);
	ww_jsonw_end_array(w);
	ww_jsonw_u64(w, "processesTotal", list.total);
}

/* --- life ------------------------------------------------------------------------------------- */

void ww_pipeline_free(struct ww_pipeline *p)
{
	if (!p)
		return;
	p->dying = true;
	/* Flows hold parser state that proto owns: give it back first. */
	if (p->flows) {
		ww_flows_finish(p->flows, p->now);
		ww_flows_free(p->flows);
	}
	ww_paths_free(p->paths); /* tells what is left, through what was attested */
	ww_attestations_free(p->attestations);
	ww_judge_free(p->judge);
	ww_proto_free(p->proto);
	ww_lookups_free(p->lookups);
	ww_named_free(p->named);
	ww_coverage_free(p->coverage);
	ww_actors_free(p->actors);
	ww_phrase_scanner_free(p->scanner);
	ww_phrases_free(p->phrases);
	ww_contracts_free(p->contracts);
	ww_buf_done(&p->record);
	ww_buf_done(&p->attested);
	explicit_bzero(&p->key, sizeof(p->key));
	free(p);
}

static int new_paths(struct ww_pipeline *p, const struct ww_pipeline_config *cfg, uint64_t grace_ns)
{
	const struct ww_path_config path_cfg = {.grace_ns = grace_ns,
						.digest_key = cfg->digest_key,
						.policy = cfg->policy,
						.tables = cfg->tables};
	const struct ww_path_deps deps = {p->actors, p->flows, p->coverage, &p->key, &p->clock};

	return ww_paths_new(&path_cfg, &deps, emit_path, p, &p->paths);
}

static int make_stages(struct ww_pipeline *p, const struct ww_pipeline_config *cfg)
{
	static const struct ww_flow_ops flow_ops = {flow_opened, flow_bytes, flow_gap, flow_closed,
						    flow_lost};
	static const struct ww_proto_ops proto_ops = {exchange_done, message_refused};
	static const struct ww_lookup_ops lookup_ops = {lookup_done, lookup_unread};
	struct ww_proto_config proto_cfg = {.body_bytes_max = cfg->body_bytes_max, .key = &p->key};
	struct ww_judge_config judge_cfg = {
		.grace_ns = cfg->grace_ns ? cfg->grace_ns : GRACE_DEFAULT_NS,
		.skew_ns = cfg->skew_ns ? cfg->skew_ns : SKEW_DEFAULT_NS,
		.originals = cfg->originals};
	struct ww_judge_deps deps;
	int r;

	r = ww_actors_new(&p->actors);
	if (r == 0)
		r = ww_coverage_new(&p->coverage);
	if (r == 0)
		r = ww_proto_new(&proto_cfg, &proto_ops, p, &p->proto);
	if (r == 0)
		r = ww_lookups_new(&lookup_ops, p, &p->lookups);
	if (r == 0)
		r = ww_named_new(&p->named);
	if (r == 0)
		r = ww_flows_new(p->actors, &flow_ops, p, &p->flows);
	if (r < 0)
		return r;
	deps = (struct ww_judge_deps){p->actors, p->flows,  p->coverage, p->contracts,
				      &p->key,   &p->clock, p->phrases};
	r = ww_judge_new(&judge_cfg, &deps, emit_judged, p, &p->judge);
	if (r == 0)
		r = new_paths(p, cfg, judge_cfg.grace_ns);
	if (r == 0)
		r = ww_attestations_new(p->contracts, &p->key, p->judge, &p->attestations);
	return r < 0 ? r : ww_attestations_of_paths(p->attestations, cfg->policy, p->paths);
}

void ww_pipeline_watch(struct ww_pipeline *p, ww_pending_fn fn, void *ctx)
{
	ww_judge_watch(p->judge, fn, ctx);
}

void ww_pipeline_pending(struct ww_pipeline *p, ww_pending_fn fn, void *ctx)
{
	ww_judge_pending(p->judge, fn, ctx);
}

static int read_phrases(struct ww_pipeline *p, struct ww_slice users,
			struct ww_contract_error *ret_error)
{
	int r = ww_phrases_parse(ww_phrases_default(), users, &p->phrases, ret_error);

	if (r == 0)
		r = ww_phrases_bind(p->phrases, p->contracts);
	return r < 0 ? r : ww_phrase_scanner_new(p->phrases, &p->scanner);
}

int ww_pipeline_new(const struct ww_pipeline_config *cfg, ww_record_fn emit, void *ctx,
		    struct ww_pipeline **ret_pipeline, struct ww_contract_error *ret_error)
{
	WW_AUTO(ww_pipeline_free_auto) struct ww_pipeline *p = calloc(1, sizeof(*p));
	struct ww_slice yaml =
		cfg->contracts.n ? cfg->contracts : WW_SLICE_LIT("version: 1\ncontracts: []\n");
	int r;

	if (!p)
		return -ENOMEM;
	ww_buf_init(&p->record, WW_RECORD_BYTES_MAX);
	ww_buf_init(&p->attested, WW_RECORD_BYTES_MAX);
	p->emit = emit;
	p->ctx = ctx;
	p->receiver = cfg->receiver;
	p->receiver_netns = cfg->receiver_netns;
	p->tables = cfg->tables;
	ww_digest_key_init(&p->key, cfg->digest_key);
	r = ww_contracts_parse(yaml, &p->contracts, ret_error);
	if (r == 0 && cfg->prose)
		r = read_phrases(p, cfg->phrases, ret_error);
	if (r == 0)
		r = make_stages(p, cfg);
	if (r < 0)
		return r;
	*ret_pipeline = WW_TAKE(p);
	return 0;
}
