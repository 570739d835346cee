/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/contract.h"

#include <errno.h>

#include "base/encode.h"
#include "policy/host_glob.h"

/* A request target never has more segments than bytes: struct ww_exchange keeps 1023 of them. */
#define TARGET_BYTES_MAX 1024u

static void pattern_done(struct ww_pattern *p)
{
	for (unsigned i = 0; i < p->destination_count; i++) {
		free(p->destinations[i].name);
		free(p->destinations[i].program);
		free(p->destinations[i].cidrs);
	}
	for (unsigned i = 0; i < p->method_count; i++)
		free(p->methods[i]);
	for (unsigned i = 0; i < p->path_count; i++)
		free(p->paths[i]);
	free(p->destinations);
	free(p->methods);
	free(p->paths);
}

static void success_done(struct ww_success *s)
{
	for (unsigned i = 0; i < s->rule_count; i++) {
		free(s->rules[i].path);
		free(s->rules[i].equals);
	}
	free(s->rules);
}

static void control_done(struct ww_control *k)
{
	pattern_done(&k->call);
	success_done(&k->allow);
	for (unsigned i = 0; i < k->subject_count; i++)
		free(k->subject[i]);
	free(k->subject);
	free(k->name);
}

static void contract_done(struct ww_contract *c)
{
	ww_local_done(&c->local);
	pattern_done(&c->call);
	success_done(&c->success);
	success_done(&c->readback.success);
	success_done(&c->bulk.item);
	for (unsigned i = 0; i < c->control_count; i++)
		control_done(&c->controls[i]);
	free(c->controls);
	free(c->readback.method);
	free(c->readback.path);
	free(c->readback.id_path);
	free(c->bulk.items);
	free(c->bulk.status_path);
	for (unsigned i = 0; i < c->topic_count; i++)
		free(c->topics[i]);
	free(c->topics);
	free(c->id_path);
	free(c->mcp_tool);
	for (unsigned i = 0; i < c->answer_path_count; i++)
		free(c->answer_paths[i]);
	free(c->answer_paths);
	free(c->attesters);
	free(c->tool);
}

void ww_contracts_free(struct ww_contracts *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->count; i++)
		contract_done(&c->items[i]);
	free(c->items);
	free(c);
}

const struct ww_contract *ww_contracts_find(const struct ww_contracts *c, const char *tool)
{
	for (unsigned i = 0; i < c->count; i++) {
		if (strcmp(c->items[i].tool, tool) == 0)
			return &c->items[i];
	}
	return NULL;
}

/* --- destinations -------------------------------------------------------------------------------
 */

static bool name_matches(const char *want, struct ww_slice host)
{
	size_t tail;

	if (want[0] != '*')
		return ww_slice_ieq_str(host, want);
	tail = strlen(want) - 1; /* ".suffix": one label at least stands before it */
	return host.n > tail && ww_slice_ieq_str(ww_slice_sub(host, host.n - tail, tail), want + 1);
}

static bool address_matches(const struct ww_destination *d, const struct ww_endpoint *peer)
{
	if (d->program || (!d->allow_loopback && ww_cidr_endpoint_loopback(peer)))
		return false;
	if (d->port && d->port != peer->port)
		return false;
	for (unsigned i = 0; i < d->cidr_count; i++) {
		if (ww_cidr_has(&d->cidrs[i], peer))
			return true;
	}
	return d->cidr_count == 0;
}

bool ww_pattern_destination(const struct ww_pattern *p, const char *name,
			    const struct ww_endpoint *peer)
{
	struct ww_slice host = ww_host_of(name);

	for (unsigned i = 0; i < p->destination_count; i++) {
		const struct ww_destination *d = &p->destinations[i];

		if (address_matches(d, peer) && (!d->name || name_matches(d->name, host)))
			return true;
	}
	return false;
}

bool ww_pattern_name(const struct ww_pattern *p, const char *name)
{
	struct ww_slice host = ww_host_of(name);

	for (unsigned i = 0; i < p->destination_count && host.n; i++) {
		const struct ww_destination *d = &p->destinations[i];

		if (d->name && name_matches(d->name, host))
			return true;
	}
	return false;
}

bool ww_pattern_name_in_full(const struct ww_pattern *p, const char *name)
{
	struct ww_slice host = ww_host_of(name);

	for (unsigned i = 0; i < p->destination_count; i++) {
		const struct ww_destination *d = &p->destinations[i];

		if (d->name && ww_slice_ieq_str(host, d->name))
			return true;
	}
	return false;
}

bool ww_pattern_address(const struct ww_pattern *p, const struct ww_endpoint *peer)
{
	for (unsigned i = 0; i < p->destination_count; i++) {
		if (address_matches(&p->destinations[i], peer))
			return true;
	}
	return false;
}

bool ww_pattern_program(const struct ww_pattern *p, const char *path)
{
	for (unsigned i = 0; i < p->destination_count; i++) {
		const char *want = p->destinations[i].program;

		if (want && (strcmp(want, "*") == 0 || strcmp(want, path) == 0))
			return true;
	}
	return false;
}

bool ww_pattern_program_may_be(const struct ww_pattern *p, const char *path, const char *called)
{
	for (unsigned i = 0; i < p->destination_count; i++) {
		const char *want = p->destinations[i].program;

		if (want && ww_local_may_be_program(ww_slice_str(want), ww_slice_str(path),
						    ww_slice_str(called)))
			return true;
	}
	return false;
}

bool ww_pattern_programs(const struct ww_pattern *p)
{
	for (unsigned i = 0; i < p->destination_count; i++) {
		if (p->destinations[i].program)
			return true;
	}
	return false;
}

/* --- requests -----------------------------------------------------------------------------------
 */

/* RFC 3986 section 2.3 */
static bool unreserved(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

/* The path of a target in origin form or absolute form (RFC 9112 section 3.2). */
static struct ww_slice path_of(const char *target)
{
	struct ww_slice s = ww_slice_str(target);
	size_t at = 0;

	if (s.n && s.p[0] != '/') {
		for (at = 0; at + 3 <= s.n && memcmp(s.p + at, "://", 3) != 0; at++)
			;
		at = ww_slice_find(s, at + 3 <= s.n ? at + 3 : s.n, '/');
	}
	s = ww_slice_sub(s, at, s.n);
	s.n = ww_slice_find(s, 0, '?');
	s.n = ww_slice_find(s, 0, '#');
	return s;
}

/* Section 6.2.2.2: escaped unreserved characters are the characters. Returns the bytes in out. */
static size_t decode_unreserved(struct ww_slice in, uint8_t out[TARGET_BYTES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < in.n && n < TARGET_BYTES_MAX; i++) {
		uint8_t c;

		if (in.p[i] == '%' && ww_hex_decode(ww_slice_sub(in, i + 1, 2), &c, 1) == 0 &&
		    unreserved(c)) {
			out[n++] = c;
			i += 2;
		} else {
			out[n++] = in.p[i];
		}
	}
	return n;
}

/* Section 5.2.4, in place, segment by segment. Returns the bytes left. */
static size_t remove_dots(uint8_t *p, size_t n)
{
	struct ww_slice in = {p, n};
	size_t out = 0;

	for (size_t at = 0; at < n;) {
		size_t end = ww_slice_find(in, at + 1, '/');
		struct ww_slice seg = ww_slice_sub(in, at + 1, end - at - 1);
		bool up = ww_slice_eq_str(seg, ".."), stay = ww_slice_eq_str(seg, ".");

		if (up) {
			while (out > 0 && p[--out] != '/')
				;
		}
		if (!up && !stay) {
			memmove(p + out, p + at, end - at);
			out += end - at;
		} else if (end == n) {
			p[out++] = '/';
		}
		at = end;
	}
	return out;
}

static bool segment_eq(struct ww_slice a, struct ww_slice b, bool lenient)
{
	return lenient ? a.n == b.n && strncasecmp((const char *)a.p, (const char *)b.p, a.n) == 0
		       : ww_slice_eq(a, b);
}

static bool segments_match(const char *template, struct ww_slice path, bool lenient)
{
	struct ww_slice want = ww_slice_str(template);
	size_t w = 0, p = 0;

	while (w < want.n && p < path.n) {
		size_t we = ww_slice_find(want, w + 1, '/'), pe = ww_slice_find(path, p + 1, '/');
		struct ww_slice ws = ww_slice_sub(want, w + 1, we - w - 1);
		struct ww_slice ps = ww_slice_sub(path, p + 1, pe - p - 1);

		if (ww_slice_eq_str(ws, "**"))
			return true;
		if (ws.n && ws.p[0] == '{') {
			if (ps.n == 0)
				return false;
		} else if (!segment_eq(ws, ps, lenient)) {
			return false;
		}
		w = we;
		p = pe;
	}
	return w == want.n && p == path.n;
}

static bool template_matches(const char *template, struct ww_slice path)
{
	return segments_match(template, path, false);
}

static bool method_matches(const struct ww_pattern *p, const char *method)
{
	bool known = false;

	for (unsigned i = 0; i < p->method_count && !known; i++)
		known = strcmp(p->methods[i], method) == 0;
	return known;
}

/* All escapes decoded, one slash for several, no parameters, none at the end. In place. */
static size_t loosen(uint8_t *p, size_t n)
{
	size_t out = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = p[i];

		if (c == '%' && ww_hex_decode(ww_slice_sub(ww_slice(p, n), i + 1, 2), &c, 1) == 0)
			i += 2;
		if (c == ';') {
			while (i + 1 < n && p[i + 1] != '/')
				i++;
		} else if (c != '/' || out == 0 || p[out - 1] != '/') {
			p[out++] = c;
		}
	}
	return out > 1 && p[out - 1] == '/' ? out - 1 : out;
}

/* The path of a target as it is compared: false where it matches nothing. */
static bool plain_path(const char *target, uint8_t bytes[TARGET_BYTES_MAX],
		       struct ww_slice *ret_path)
{
	size_t n = decode_unreserved(path_of(target), bytes);

	if (n == 0 || bytes[0] != '/' || strchr(target, '#') || remove_dots(bytes, n) != n)
		return false;
	*ret_path = ww_slice(bytes, n);
	return true;
}

const char *ww_pattern_request(const struct ww_pattern *p, const char *method, const char *target)
{
	uint8_t bytes[TARGET_BYTES_MAX];
	struct ww_slice path;

	if (!method_matches(p, method) || !plain_path(target, bytes, &path))
		return NULL;
	for (unsigned i = 0; i < p->path_count; i++) {
		if (template_matches(p->paths[i], path))
			return p->paths[i];
	}
	return NULL;
}

/* The segment of path that stands where the template has `name`; both match. */
static struct ww_slice segment_of(const char *template, struct ww_slice name, struct ww_slice path)
{
	struct ww_slice want = ww_slice_str(template);
	size_t w = 0, p = 0;

	while (w < want.n) {
		size_t we = ww_slice_find(want, w + 1, '/'), pe = ww_slice_find(path, p + 1, '/');

		if (ww_slice_eq(ww_slice_sub(want, w + 1, we - w - 1), name))
			return ww_slice_sub(path, p + 1, pe - p - 1);
		w = we;
		p = pe;
	}
	return (struct ww_slice){0};
}

bool ww_readback_request(const struct ww_readback *b, const char *method, const char *target,
			 uint8_t out[WW_READBACK_ID_MAX], size_t *ret_bytes)
{
	uint8_t bytes[TARGET_BYTES_MAX];
	struct ww_slice path, id;
	size_t n = 0;

	if (!b->path || strcmp(b->method, method) != 0 || !plain_path(target, bytes, &path) ||
	    !template_matches(b->path, path))
		return false;
	id = segment_of(b->path, WW_SLICE_LIT("{id}"), path);
	for (size_t i = 0; i < id.n; i++) {
		uint8_t c = id.p[i];

		if (n == WW_READBACK_ID_MAX)
			return false;
		if (c == '%' && ww_hex_decode(ww_slice_sub(id, i + 1, 2), &c, 1) == 0)
			i += 2;
		out[n++] = c;
	}
	*ret_bytes = n;
	return n > 0;
}

int ww_readback_place(const struct ww_readback *b, const char *template, const char *target,
		      struct ww_buf *out)
{
	struct ww_slice want = ww_slice_str(b->path), path;
	uint8_t bytes[TARGET_BYTES_MAX];
	int r = plain_path(target, bytes, &path) ? 0 : -ENOENT;

	for (size_t at = 0, end; at < want.n && r == 0; at = end) {
		struct ww_slice name, value;

		end = ww_slice_find(want, at + 1, '/');
		name = ww_slice_sub(want, at + 1, end - at - 1);
		if (!ww_slice_starts(name, WW_SLICE_LIT("{")) || ww_slice_eq_str(name, "{id}"))
			continue;
		value = segment_of(template, name, path);
		r = value.n ? ww_buf_add(out, value.p, value.n) : -ENOENT;
		if (r == 0)
			r = ww_buf_add(out, "/", 1);
	}
	return r;
}

bool ww_pattern_request_like(const struct ww_pattern *p, const char *method, const char *target)
{
	uint8_t bytes[TARGET_BYTES_MAX];
	struct ww_slice path;
	size_t n;

	if (!method_matches(p, method))
		return false;
	if (ww_pattern_request(p, method, target))
		return true;
	n = decode_unreserved(path_of(target), bytes);
	n = loosen(bytes, n);
	if (n == 0 || bytes[0] != '/')
		return false;
	n = remove_dots(bytes, n);
	path = ww_slice(bytes, n > 1 && bytes[n - 1] == '/' ? n - 1 : n);
	for (unsigned i = 0; i < p->path_count; i++) {
		if (segments_match(p->paths[i], path, true))
			return true;
	}
	return false;
}

uint64_t ww_contracts_shown_s(const struct ww_contracts *all)
{
	uint64_t most = 0;

	for (unsigned i = 0; i < all->count; i++) {
		const struct ww_contract *c = &all->items[i];

		if (c->readback.path && c->deadline_s > most)
			most = c->deadline_s;
	}
	return most;
}

const char *ww_contract_effect_name(enum ww_effect e)
{
	switch (e) {
#define EFFECT_CASE_(n, v, t, d) \
	case WW_EFFECT_##n:      \
		return t;
		WW_EFFECTS(EFFECT_CASE_)
	}
	return "unknown";
}

const char *ww_contract_sought(const struct ww_contract *c)
{
	return c->effect == WW_EFFECT_PROCESS ? "run of a declared program"
					      : "change of a declared file";
}

const char *ww_control_same_name(enum ww_control_same s)
{
	switch (s) {
#define SAME_CASE_(n, v, t, d)    \
	case WW_CONTROL_SAME_##n: \
		return t;
		WW_CONTROL_SAMES(SAME_CASE_)
	}
	return "unknown";
}
