/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/pending.h"

#include "judge/verdict.h"
#include "judge/verdict_write.h"

#define TEXT_OF(n, t, d) [WW_PENDING_##n] = t,
static const char *const waits[WW_PENDING_WAIT_MAX] = {WW_PENDING_WAITS(TEXT_OF)};

static void write_wall(struct ww_jsonw *w, const char *key, struct ww_wall t)
{
	char text[WW_RFC3339_MAX];

	ww_wall_rfc3339(t, text);
	ww_jsonw_put_cstr(w, ww_jsonw_name(key), t.ns ? text : NULL);
}

/* Said and span as a verdict's record has them, so that the same filters fit. */
static void write_said(const struct ww_action *a, struct ww_jsonw *w)
{
	const struct ww_action_span *s = ww_action_last_span(a);

	ww_jsonw_object(w, "said");
	ww_jsonw_cstr(w, "claim", ww_action_claimed(a));
	ww_jsonw_end_object(w);
	if (!s) {
		ww_jsonw_null(w, "span");
		return;
	}
	ww_jsonw_object(w, "span");
	ww_jsonw_cstr(w, "status", ww_span_status_name(s->status));
	ww_jsonw_end_object(w);
}

void ww_pending_write(const struct ww_pending *p, const struct ww_clock_map *clock,
		      struct ww_jsonw *w)
{
	const struct ww_action *a = p->action;
	struct ww_boot begun = ww_action_begun(a);

	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "verdict", ww_verdict_name(WW_VERDICT_PENDING));
	ww_jsonw_cstr(w, "action", a->id);
	write_wall(w, "t", ww_clock_wall(clock, begun.ns ? begun : a->received));
	ww_verdict_write_who(a, w);
	write_said(a, w);
	if (p->into) {
		ww_jsonw_cstr(w, "partOf", p->into);
	} else {
		write_wall(w, "deadline", ww_clock_wall(clock, p->deadline));
		ww_jsonw_cstr(w, "waitsFor", waits[p->wait]);
	}
	ww_jsonw_end_object(w);
}
