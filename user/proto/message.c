/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/message.h"

#include "proto/aws_stream.h"

void ww_messages_init(struct ww_messages *s, const struct ww_proto_config *cfg,
		      const struct ww_proto_ops *ops, void *ctx)
{
	*s = (struct ww_messages){.ops = *ops, .ctx = ctx};
	ww_bodies_init(&s->bodies, cfg->key, cfg->body_bytes_max);
}

static void destroy(struct ww_message *m)
{
	ww_body_free(&m->req);
	ww_body_free(&m->resp);
	explicit_bzero(&m->x, sizeof(m->x));
	free(m);
}

void ww_messages_done(struct ww_messages *s)
{
	while (s->spare) {
		struct ww_message *m = s->spare;

		s->spare = m->next;
		destroy(m);
	}
	s->spares = 0;
	ww_bodies_done(&s->bodies);
}

void ww_messages_refuse(struct ww_messages *s, const struct ww_flow *f)
{
	if (s->ops.refused)
		s->ops.refused(s->ctx, f);
}

/* Who serves a channel may change: this is who was asked. */
static void take_program(struct ww_exchange *x, const struct ww_flow *f)
{
	if (!f->channel)
		return;
	if (f->channel->program)
		snprintf(x->program, sizeof(x->program), "%s", f->channel->program);
	memcpy(x->called, f->channel->called, sizeof(x->called));
}

struct ww_message *ww_message_new(struct ww_messages *s, struct ww_flow *f)
{
	struct ww_message *m = s->spare;

	if (m) {
		struct ww_body_keep req = m->req, resp = m->resp;

		s->spare = m->next;
		s->spares--;
		*m = (struct ww_message){.req = req, .resp = resp};
	} else {
		m = calloc(1, sizeof(*m));
	}
	if (!m) {
		ww_messages_refuse(s, f);
		return NULL;
	}
	m->x.cookie = f->cookie;
	m->x.index = f->exchanges++;
	take_program(&m->x, f);
	return m;
}

void ww_message_content(struct ww_messages *s, struct ww_message *m, enum ww_coding coding)
{
	ww_body_begin(&m->req, &s->bodies, coding);
	if (coding != WW_CODING_OTHER)
		ww_body_form(&m->req, m->x.req.content_type);
}

static void release(struct ww_messages *s, struct ww_message *m)
{
	if (s->spares >= WW_MESSAGE_SPARES_MAX) {
		destroy(m);
		return;
	}
	ww_body_recycle(&m->req);
	ww_body_recycle(&m->resp);
	m->next = s->spare;
	s->spare = m;
	s->spares++;
}

void ww_message_drop(struct ww_messages *s, struct ww_flow *f, struct ww_message *m)
{
	f->exchanges--;
	release(s, m);
}

void ww_message_push(struct ww_message_queue *q, struct ww_message *m)
{
	m->next = NULL;
	if (q->tail)
		q->tail->next = m;
	else
		q->head = m;
	q->tail = m;
	q->depth++;
}

void ww_message_unlink(struct ww_message_queue *q, struct ww_message *m)
{
	struct ww_message *before = NULL;

	for (struct ww_message *i = q->head; i && i != m; i = i->next)
		before = i;
	if (before)
		before->next = m->next;
	else
		q->head = m->next;
	if (q->tail == m)
		q->tail = before;
	q->depth--;
	m->next = NULL;
}

void ww_message_progress(struct ww_message *m, bool request, uint64_t at, struct ww_boot t)
{
	if (request) {
		m->x.req_bytes = at - m->x.req_offset;
		m->x.t_last_req = t;
	} else {
		m->x.resp_bytes = at - m->x.resp_offset;
		m->x.t_last_resp = t;
	}
}

bool ww_message_request_over(const struct ww_message *m)
{
	return m->req_done || m->req_lost || m->req_broken || m->orphan;
}

bool ww_message_response_over(const struct ww_message *m)
{
	return m->resp_done || m->resp_lost || m->resp_broken;
}

bool ww_message_is_interim(const struct ww_message *m)
{
	return m->x.status >= 100 && m->x.status < 200 && m->x.status != 101;
}

void ww_message_interim(struct ww_message *m)
{
	m->resp_begun = false;
	m->interim = true;
	m->x.status = 0;
	m->x.t_first_resp = (struct ww_boot){0};
	m->x.request_id[0] = '\0';
	m->x.retry_after = false;
	m->x.retry_after_s = 0;
	m->x.grpc = (struct ww_grpc_status){0};
	m->x.resp = (struct ww_body){0};
	ww_body_recycle(&m->resp);
}

static enum ww_exchange_outcome cut_by_close(const struct ww_message *m, const struct ww_flow *f)
{
	if (f->how == WW_CLOSE_OPEN)
		return WW_X_OPEN;
	if (!m->req_done)
		return WW_X_REQUEST_CUT;
	switch ((enum ww_close_how)f->how) {
	case WW_CLOSE_RST_LOCAL:
	case WW_CLOSE_RST_PEER:
	case WW_CLOSE_TIMEOUT:
	case WW_CLOSE_REFUSED:
		return WW_X_RESET;
	case WW_CLOSE_FIN_LOCAL:
	case WW_CLOSE_FIN_PEER:
		return m->x.resp_bytes > 0 ? WW_X_CUT_SHORT : WW_X_NO_REPLY;
	default:
		/* How it ended is not known, so neither is whether the end was in order. */
		return m->x.resp_bytes > 0 ? WW_X_CUT_SHORT : WW_X_OPEN;
	}
}

static enum ww_exchange_outcome outcome_of(const struct ww_message *m, const struct ww_flow *f)
{
	if (m->x.outcome != WW_X_OPEN)
		return m->x.outcome;
	if (m->orphan || m->req_broken || m->resp_broken)
		return WW_X_UNPARSED;
	if (m->req_lost)
		return WW_X_REQUEST_CUT;
	if (m->resp_lost)
		return m->x.status ? WW_X_CUT_SHORT : WW_X_UNPARSED;
	if (m->req_done && m->resp_done)
		return WW_X_COMPLETE;
	return cut_by_close(m, f);
}

static void take_flow_facts(struct ww_exchange *x, const struct ww_flow *f)
{
	x->cookie = f->cookie;
	x->actor = f->owner;
	x->root = f->root;
	x->cgroup = f->cgroup;
	x->peer = f->peer;
	x->local = f->local;
	memcpy(x->sni, f->tls_facts.sni, sizeof(x->sni));
	x->channel = f->channel != NULL;
	/* Of an answer that the watched process gives itself nobody else says anything. */
	if (x->client && !x->channel)
		ww_place_called(&x->places, x->authority, x->sni, x->target);
	else
		x->places = (struct ww_place_claims){0};
}

void ww_message_finish(struct ww_messages *s, struct ww_flow *f, struct ww_message *m)
{
	struct ww_exchange *x = &m->x;

	/* Bodies that did not get to their end: what was kept of them stands. */
	if (!m->req_done && m->req.shared)
		x->findings |= ww_body_end(&m->req, false, WW_X_TRUNCATED_REQUEST, &x->req);
	if (!m->resp_done && m->resp.shared)
		x->findings |= ww_body_end(&m->resp, false, WW_X_TRUNCATED_RESPONSE, &x->resp);
	if (ww_aws_stream_is(x->resp.content_type) && x->resp.coding != WW_CODING_OTHER &&
	    !ww_aws_stream_read(&x->resp, &x->events))
		x->findings |= WW_X_MALFORMED_BODY;
	x->outcome = outcome_of(m, f);
	take_flow_facts(x, f);
	s->ops.exchange(s->ctx, x);
	release(s, m);
}

void ww_stray_add(struct ww_stray *s, uint64_t offset, uint64_t bytes, struct ww_boot first,
		  struct ww_boot last)
{
	if (bytes == 0)
		return;
	if (s->bytes == 0) {
		s->offset = offset;
		s->first = first;
	}
	s->bytes += bytes;
	s->last = last;
}

void ww_message_strays(struct ww_messages *s, struct ww_flow *f, bool client,
		       const struct ww_stray *req, const struct ww_stray *resp)
{
	struct ww_exchange x = {
		.outcome = WW_X_UNPARSED,
		.client = client,
		.findings = req->findings | resp->findings,
		.t_first_req = req->first,
		.t_last_req = req->last,
		.t_first_resp = resp->first,
		.t_last_resp = resp->last,
		.req_offset = req->offset,
		.req_bytes = req->bytes,
		.resp_offset = resp->offset,
		.resp_bytes = resp->bytes,
	};

	if (req->bytes == 0 && resp->bytes == 0)
		return;
	take_flow_facts(&x, f);
	take_program(&x, f);
	x.index = f->exchanges++;
	s->ops.exchange(s->ctx, &x);
}
