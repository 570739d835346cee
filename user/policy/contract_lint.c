/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/contract_lint.h"

#include <stdarg.h>
#include <stdio.h>

struct lint {
	const struct ww_contracts *all;
	ww_contract_warn_fn warn;
	void *ctx;
};

static void __attribute__((format(printf, 3, 4)))
say(const struct lint *l, unsigned line, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	l->warn(l->ctx, line, text);
}

static bool has_method(const struct ww_pattern *p, const char *method)
{
	for (unsigned i = 0; i < p->method_count; i++) {
		if (strcmp(p->methods[i], method) == 0)
			return true;
	}
	return false;
}

static bool any_method(const struct ww_pattern *p, const char *const *methods, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (has_method(p, methods[i]))
			return true;
	}
	return false;
}

/* --- where to -----------------------------------------------------------------------------------
 */

static void lint_destination(const struct lint *l, const struct ww_destination *d)
{
	if (d->program && strcmp(d->program, "*") == 0)
		say(l, d->line,
		    "program \"*\": any server below the agent can answer in its place");
	else if (!d->program && d->cidr_count == 0)
		say(l, d->line,
		    "no cidr: whoever the client calls %s is taken for it, whatever the address",
		    d->name);
	for (unsigned i = 0; i < d->cidr_count; i++) {
		if (d->cidrs[i].bits == 0)
			say(l, d->line, "a network of every address: the same as no cidr");
	}
	if (d->allow_loopback)
		say(l, d->line, "allow_loopback: a stub on the same host can answer in its place");
}

static void lint_pattern(const struct lint *l, const struct ww_pattern *p, unsigned line)
{
	for (unsigned i = 0; i < p->destination_count; i++)
		lint_destination(l, &p->destinations[i]);
	for (unsigned i = 0; i < p->path_count; i++) {
		if (strcmp(p->paths[i], "/**") == 0)
			say(l, line, "the path /** takes every request, health checks as well");
	}
}

static void lint_effect(const struct lint *l, const struct ww_contract *c)
{
	static const char *const safe[] = {"GET", "HEAD", "OPTIONS"};
	static const char *const changing[] = {"PUT", "PATCH", "DELETE"};

	/* RFC 9110 9.2.1 */
	if (c->effect == WW_EFFECT_NETWORK && any_method(&c->call, safe, WW_ARRAY_SIZE(safe)))
		say(l, c->line, "GET, HEAD and OPTIONS change nothing: effect read?");
	if (c->effect == WW_EFFECT_READ && any_method(&c->call, changing, WW_ARRAY_SIZE(changing)))
		say(l, c->line, "PUT, PATCH and DELETE are no reads: effect network?");
}

/* --- what came of it ----------------------------------------------------------------------------
 */

static bool bodiless(uint16_t status)
{
	return status == 204 || status == 205 || status == 304; /* RFC 9110 6.4.1 */
}

static bool never_has_body(const struct ww_success *s)
{
	for (unsigned status = s->status_min; status <= s->status_max; status++) {
		if (!bodiless((uint16_t)status))
			return false;
	}
	return true;
}

static bool looks_at(const struct ww_success *s, const char *member)
{
	for (unsigned i = 0; i < s->rule_count; i++) {
		if (strstr(s->rules[i].path, member))
			return true;
	}
	return false;
}

static void lint_status(const struct lint *l, const struct ww_success *s, unsigned line)
{
	if (s->status_max >= 400)
		say(l, line, "statuses from 400 on are errors: here they count as success");
	else if (s->status_max >= 300 && s->status_max != 304)
		say(l, line, "a redirect does nothing by itself: here it counts as success");
	if (s->rule_count && never_has_body(s))
		say(l, line, "an answer with this status has no body: the body rules see nothing");
}

static void lint_success(const struct lint *l, const struct ww_contract *c)
{
	const struct ww_success *s = &c->success;
	unsigned line = s->line ? s->line : c->line;

	lint_status(l, s, line);
	if (c->id_path && never_has_body(s))
		say(l, line, "an answer with this status has no body: there is no id_path in it");
	if (s->status_min == 202 && s->status_max == 202 && c->deadline_s)
		say(l, line,
		    "only 202 counts as success, and async_deadline makes it one for later");
	for (unsigned i = 0; i < c->call.path_count; i++) {
		if (strstr(c->call.paths[i], "graphql") && !looks_at(s, "errors"))
			say(l, line, "GraphQL answers errors with 200: no rule looks at $.errors");
	}
}

static void lint_later(const struct lint *l, const struct ww_contract *c)
{
	const struct ww_readback *b = &c->readback;

	if (b->path) {
		lint_status(l, &b->success, b->line);
		if (has_method(&c->call, b->method) &&
		    ww_pattern_request(&c->call, b->method, b->path))
			say(l, b->line, "the read-back looks like the call: it counts as a call");
		if (c->deadline_s && b->success.rule_count == 0)
			say(l, b->line,
			    "no body rule: what is still pending reads back as well as what is "
			    "done");
	}
	if (c->deadline_s && !b->path && !c->deferred)
		say(l, c->line, "async_deadline without readback: ACCEPTED_ASYNC is the last word");
	if (c->deferred && c->deadline_s == 0)
		say(l, c->line, "deferred without async_deadline: absence never shows anything");
	if (c->bulk.items)
		lint_status(l, &c->bulk.item, c->bulk.line);
}

/* --- on this host -------------------------------------------------------------------------------
 */

static void lint_local(const struct lint *l, const struct ww_contract *c)
{
	const struct ww_local *local = &c->local;

	if (c->effect == WW_EFFECT_PROCESS && !local->program_count)
		say(l, c->line, "no programs: NOT_APPLICABLE is all that is said of this tool");
	if (c->effect == WW_EFFECT_FILE && !local->file_count)
		say(l, c->line, "no files: NOT_APPLICABLE is all that is said of this tool");
	if (local->program_count && !local->exit_given)
		say(l, c->line, "no exit: a program that was run and failed counts as well");
	for (unsigned i = 0; i < local->program_count; i++) {
		if (!strchr(local->programs[i], '/'))
			say(l, c->line, "%.60s without its path: whatever is called so counts",
			    local->programs[i]);
	}
	for (unsigned i = 0; i < local->file_count; i++) {
		if (local->files[i][1] == '{' || strcmp(local->files[i], "/**") == 0)
			say(l, c->line, "%.60s: the root directory itself would be watched",
			    local->files[i]);
	}
}

/* --- more than one ------------------------------------------------------------------------------
 */

static void lint_control(const struct lint *l, const struct ww_control *k)
{
	lint_pattern(l, &k->call, k->line);
	lint_status(l, &k->allow, k->allow.line ? k->allow.line : k->line);
	if (k->allow.rule_count == 0)
		say(l, k->line, "no body rule: a control that answers \"deny\" with %u allows",
		    k->allow.status_min);
	if (k->subject_count == 0)
		say(l, k->line, "no subject: a check of anything allows this");
}

static bool same_destination(const struct ww_pattern *a, const struct ww_pattern *b)
{
	for (unsigned i = 0; i < a->destination_count; i++) {
		for (unsigned k = 0; k < b->destination_count; k++) {
			const char *x = a->destinations[i].name, *y = b->destinations[k].name;

			if ((!x && !y) || (x && y && strcmp(x, y) == 0))
				return true;
		}
	}
	return false;
}

static bool same_request(const struct ww_pattern *a, const struct ww_pattern *b)
{
	for (unsigned m = 0; m < a->method_count; m++) {
		for (unsigned i = 0; i < a->path_count; i++) {
			if (ww_pattern_request(b, a->methods[m], a->paths[i]))
				return true;
		}
	}
	return false;
}

/* Without ids on the wire nobody can tell which of two tools a call was for. */
static void lint_twins(const struct lint *l, unsigned at)
{
	const struct ww_contract *c = &l->all->items[at];

	for (unsigned i = 0; i < at; i++) {
		const struct ww_contract *b = &l->all->items[i];

		if (!ww_contract_networked(b) || !same_destination(&b->call, &c->call) ||
		    !(same_request(&b->call, &c->call) || same_request(&c->call, &b->call)))
			continue;
		say(l, c->line,
		    "the call of tool %.60s (line %u), too: without ids joins are AMBIGUOUS",
		    b->tool, b->line);
		return;
	}
}

static void lint_attesters(const struct lint *l, const struct ww_contract *c)
{
	if (c->attester_count && !ww_contract_networked(c) && !ww_contract_local(c))
		say(l, c->attesters[0].line,
		    "nothing is ever confirmed of this tool: an attestation raises no verdict, it "
		    "only stands beside");
	for (unsigned i = 0; i < c->attester_count; i++) {
		if (strcmp(c->attesters[i].name, c->tool) == 0)
			say(l, c->attesters[i].line,
			    "the attester has the tool's name: an agent's word about itself?");
	}
}

void ww_contract_lint(const struct ww_contracts *all, ww_contract_warn_fn warn, void *ctx)
{
	struct lint l = {all, warn, ctx};

	for (unsigned i = 0; i < all->count; i++) {
		const struct ww_contract *c = &all->items[i];

		lint_attesters(&l, c);
		if (!ww_contract_networked(c)) {
			lint_local(&l, c);
			continue;
		}
		lint_pattern(&l, &c->call, c->line);
		lint_effect(&l, c);
		lint_success(&l, c);
		lint_later(&l, c);
		for (unsigned k = 0; k < c->control_count; k++)
			lint_control(&l, &c->controls[k]);
		if (!c->mcp_tool) /* the tool's name stands in the request */
			lint_twins(&l, i);
	}
}
