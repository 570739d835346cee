/* SPDX-License-Identifier: Apache-2.0 */
#include "join/answered.h"

#include "policy/body_rule.h"

static bool blank(struct ww_slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!memchr(" \t\r\n", s.p[i], 4))
			return false;
	}
	return true;
}

/* A JSON text shows its own end; of nothing, that the connection ended where the text was to come
 * does not show that there was to be none. */
bool ww_answered_whole(const struct ww_exchange *x)
{
	return x->outcome == WW_X_COMPLETE && x->resp.whole && x->resp.coding != WW_CODING_OTHER &&
	       !(x->resp.by_close && blank(x->resp.data));
}

struct ww_document ww_answered_document(const struct ww_exchange *x, const struct ww_mcp_call *mcp)
{
	if (mcp)
		return (struct ww_document){ww_mcp_document(mcp), mcp->answer == WW_MCP_RESULT};
	return (struct ww_document){x->resp.data, ww_answered_whole(x)};
}

/* Status and body rules hold: what an answer about several items says of them. */
static enum ww_wire by_items(const struct ww_contract *c, const struct ww_exchange *x,
			     const struct ww_document *d, struct ww_match *m)
{
	const struct ww_success *s = &c->success;

	m->rule = WW_RULE_BULK;
	if (c->bulk.items) {
		switch (ww_body_rule_bulk(&c->bulk, d->text, d->whole, &m->good, &m->all)) {
		case WW_BODY_HOLDS:
			return WW_WIRE_SUCCESS;
		case WW_BODY_VIOLATES:
			return m->good ? WW_WIRE_PARTIAL : WW_WIRE_BODY_FAILED;
		default:
			return WW_WIRE_BODY_UNKNOWN;
		}
	}
	/* RFC 4918 11.1: 207 says nothing of its parts, unless it is all that is declared. */
	m->rule = WW_RULE_PARTS;
	return x->status == 207 && s->status_min != s->status_max ? WW_WIRE_BODY_UNKNOWN
								  : WW_WIRE_SUCCESS;
}

/* RFC 9110 15.3.3: 202 says nothing about the effect, unless it is all that is declared. 15.4.4:
 * 303 points to where its outcome may be seen. */
static bool is_for_later(const struct ww_contract *c, uint16_t status)
{
	const struct ww_success *s = &c->success;

	if (status == 303)
		return c->deadline_s > 0;
	return status == 202 && (c->deadline_s || s->status_min != 202 || s->status_max != 202);
}

/* The protocol's own answer. SUCCESS: the contract's rules may be asked. */
static enum ww_wire by_protocol(const struct ww_exchange *x, const struct ww_mcp_call *mcp)
{
	if (x->status == 202)
		return WW_WIRE_UNDECODED; /* the answer comes over another connection */
	switch (mcp->answer) {
	case WW_MCP_RESULT:
		return WW_WIRE_SUCCESS;
	case WW_MCP_TOOL_ERROR:
	case WW_MCP_RPC_ERROR:
		return WW_WIRE_BODY_FAILED;
	default:
		return WW_WIRE_BODY_UNKNOWN;
	}
}

/* What the server says of a gRPC call: its HTTP status says nothing. SUCCESS: the rules may be
 * asked. */
static enum ww_wire by_grpc(const struct ww_exchange *x)
{
	if (x->outcome != WW_X_COMPLETE || !x->grpc.known)
		return WW_WIRE_BODY_UNKNOWN;
	return x->grpc.code == 0 ? WW_WIRE_SUCCESS : WW_WIRE_BODY_FAILED;
}

/* What the answer says itself. */
static enum ww_wire by_message(const struct ww_contract *c, const struct ww_exchange *x,
			       const struct ww_mcp_call *mcp, struct ww_match *m)
{
	struct ww_document d = ww_answered_document(x, mcp);
	unsigned rule = 0;

	if (mcp || ww_exchange_is_grpc(x)) {
		enum ww_wire w = mcp ? by_protocol(x, mcp) : by_grpc(x);

		m->rule = mcp ? WW_RULE_MCP : WW_RULE_GRPC;
		if (w != WW_WIRE_SUCCESS)
			return w;
	}
	switch (ww_body_rule_check(&c->success, d.text, d.whole, &rule)) {
	case WW_BODY_HOLDS:
		return by_items(c, x, &d, m);
	case WW_BODY_VIOLATES:
		m->rule = (uint8_t)rule;
		return WW_WIRE_BODY_FAILED;
	default:
		m->rule = (uint8_t)rule;
		return WW_WIRE_BODY_UNKNOWN;
	}
}

static enum ww_wire by_status(const struct ww_contract *c, const struct ww_exchange *x,
			      const struct ww_mcp_call *mcp, struct ww_match *m)
{
	const struct ww_success *s = &c->success;

	if (!mcp && is_for_later(c, x->status))
		return WW_WIRE_ACCEPTED;
	if (x->status < s->status_min || x->status > s->status_max) {
		if (x->status == 304)
			return WW_WIRE_UNCHANGED;
		return x->status >= 300 && x->status < 400 ? WW_WIRE_REDIRECTED : WW_WIRE_FAILED;
	}
	return by_message(c, x, mcp, m);
}

enum ww_wire ww_answered(const struct ww_contract *c, const struct ww_exchange *x,
			 const struct ww_mcp_call *mcp, struct ww_match *m)
{
	switch (x->outcome) {
	case WW_X_UPGRADED:
	case WW_X_UNPARSED:
		return WW_WIRE_UNDECODED;
	default:
		break;
	}
	if (x->channel && x->outcome == WW_X_COMPLETE)
		return by_message(c, x, mcp, m);
	if (x->status >= 200)
		return by_status(c, x, mcp, m);
	switch (x->outcome) {
	case WW_X_OPEN:
		return WW_WIRE_UNFINISHED;
	case WW_X_REQUEST_CUT:
		/* Bytes of it were lost to us: the server may have got them all. */
		return x->findings & WW_X_GAP_REQUEST ? WW_WIRE_UNDECODED : WW_WIRE_NOT_SENT;
	default:
		return WW_WIRE_NO_REPLY;
	}
}
