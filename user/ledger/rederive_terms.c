/* SPDX-License-Identifier: Apache-2.0 */
/* A contract's terms out of a verdict's record, and addresses. */
#include "ledger/rederive_read.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

static int take_copy(const struct ww_rd_text *t, char **ret)
{
	char *copy;

	/* Names and templates are plain; who escapes them hides something. */
	if (!t->s.p || t->escaped || memchr(t->s.p, 0, t->s.n))
		return -EINVAL;
	copy = strndup((const char *)t->s.p, t->s.n);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

struct texts {
	unsigned *count;
	char ***items;
};

static int take_text(void *ctx, const struct ww_json_token *t, struct ww_slice text,
		     struct ww_errtext *why)
{
	struct ww_rd_text value = {t->raw, t->escaped};
	const struct texts *out = ctx;
	char **more;
	int r;

	if (t->type != WW_JSON_STRING || *out->count == WW_CONTRACT_ITEMS_MAX)
		return ww_errtext_set(why, -EINVAL, "the terms are not understood");
	more = realloc(*out->items, (*out->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	*out->items = more;
	more[*out->count] = NULL;
	r = take_copy(&value, &more[*out->count]);
	if (r < 0)
		return ww_errtext_set(why, r, "the terms are not understood");
	(*out->count)++;
	return 0;
}

static int take_cidr(void *ctx, const struct ww_json_token *t, struct ww_slice text,
		     struct ww_errtext *why)
{
	struct ww_destination *d = ctx;
	struct ww_cidr *more;

	if (t->type != WW_JSON_STRING || d->cidr_count == WW_CONTRACT_ITEMS_MAX)
		return ww_errtext_set(why, -EINVAL, "the terms are not understood");
	more = realloc(d->cidrs, (d->cidr_count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	d->cidrs = more;
	if (ww_cidr_parse(t->raw, &more[d->cidr_count]) < 0)
		return ww_errtext_set(why, -EINVAL, "the terms name no network: %.*s",
				      (int)(t->raw.n < 64 ? t->raw.n : 64), (const char *)t->raw.p);
	d->cidr_count++;
	return 0;
}

static int take_destination(void *ctx, const struct ww_json_token *t, struct ww_slice text,
			    struct ww_errtext *why)
{
	struct ww_rd_text name = {WW_SLICE_NULL, false}, program = {WW_SLICE_NULL, false};
	struct ww_slice cidrs = WW_SLICE_NULL;
	struct ww_rd_number port = {0};
	struct ww_destination d = {0}, *more;
	struct ww_pattern *c = ctx;
	struct ww_member_want m[] = {
		WW_MEMBER("name", TEXT, &name),
		WW_MEMBER("program", TEXT, &program),
		WW_MEMBER("cidr", MAYBE, &cidrs),
		WW_MEMBER("port", NUMBER, &port),
		WW_MEMBER("loopback", FLAG, &d.allow_loopback),
	};
	int r = WW_MEMBERS_READ(text, "a destination", m, why);

	if (r < 0)
		return r;
	if (c->destination_count == WW_CONTRACT_ITEMS_MAX || port.n > UINT16_MAX ||
	    (!name.s.p && !cidrs.n && !program.s.p))
		return ww_errtext_set(why, -EINVAL, "the terms are not understood");
	more = realloc(c->destinations, (c->destination_count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	c->destinations = more;
	d.port = (uint16_t)port.n;
	if (name.s.p)
		r = take_copy(&name, &d.name);
	if (r == 0 && program.s.p)
		r = take_copy(&program, &d.program);
	more[c->destination_count] = d;
	c->destination_count++;
	if (r == 0 && cidrs.n)
		r = ww_members_each(cidrs, "its networks", take_cidr,
				    &more[c->destination_count - 1], why);
	return r;
}

static int read_effect(const struct ww_rd_text *text, enum ww_effect *ret)
{
	static const struct {
		const char *name;
		enum ww_effect effect;
	} effects[] = {
#define EFFECT_(n, v, t, d) {t, WW_EFFECT_##n},
		WW_EFFECTS(EFFECT_)};

	for (size_t i = 0; i < WW_ARRAY_SIZE(effects); i++) {
		if (ww_rd_is(*text, effects[i].name)) {
			*ret = effects[i].effect;
			return 0;
		}
	}
	return -EINVAL;
}

static int read_pattern(struct ww_slice destinations, struct ww_slice methods,
			struct ww_slice paths, struct ww_pattern *p, struct ww_errtext *why)
{
	int r = ww_members_each(destinations, "the destinations", take_destination, p, why);

	if (r == 0)
		r = ww_members_each(methods, "the methods", take_text,
				    &(struct texts){&p->method_count, &p->methods}, why);
	if (r == 0)
		r = ww_members_each(paths, "the paths", take_text,
				    &(struct texts){&p->path_count, &p->paths}, why);
	if (r == 0 && (!p->destination_count ||
		       (!ww_pattern_programs(p) && (!p->method_count || !p->path_count))))
		return ww_errtext_set(why, -EINVAL, "the terms are not understood");
	return r;
}

static int read_rules(struct ww_slice rules, struct ww_success *s, struct ww_errtext *why)
{
	unsigned count = 0;
	char **items = NULL;
	int r = ww_members_each(rules, "the body rules", take_text, &(struct texts){&count, &items},
				why);

	if (r == 0 && count) {
		s->rules = calloc(count, sizeof(*s->rules));
		r = s->rules ? 0 : -ENOMEM;
	}
	for (unsigned i = 0; i < count; i++) {
		if (r == 0)
			s->rules[s->rule_count++].path = items[i];
		else
			free(items[i]);
	}
	free(items);
	return r;
}

static int read_success(struct ww_slice object, struct ww_success *s, struct ww_errtext *why)
{
	struct ww_slice rules;
	uint64_t status_min, status_max;
	struct ww_member_want m[] = {
		WW_MEMBER("statusMin", U64, &status_min),
		WW_MEMBER("statusMax", U64, &status_max),
		WW_MEMBER("bodyRules", RAW, &rules),
	};
	int r = WW_MEMBERS_READ(object, "the terms", m, why);

	if (r < 0)
		return r;
	if (status_min > 999 || status_max > 999)
		return ww_errtext_set(why, -EINVAL, "the terms are not understood");
	s->status_min = (uint16_t)status_min;
	s->status_max = (uint16_t)status_max;
	return read_rules(rules, s, why);
}

static int read_readback(struct ww_slice object, struct ww_readback *b, struct ww_errtext *why)
{
	struct ww_rd_text method = {WW_SLICE_NULL, false}, path = {WW_SLICE_NULL, false};
	struct ww_member_want m[] = {WW_MEMBER("method", TEXT, &method),
				     WW_MEMBER("path", TEXT, &path)};
	int r = WW_MEMBERS_READ(object, "the read-back", m, why);

	if (r == 0)
		r = take_copy(&method, &b->method);
	if (r == 0)
		r = take_copy(&path, &b->path);
	return r < 0 ? r : read_success(object, &b->success, why);
}

static int read_same(const struct ww_rd_text *text, enum ww_control_same *ret)
{
	static const struct {
		const char *name;
		enum ww_control_same same;
	} sames[] = {
#define SAME_(n, v, t, d) {t, WW_CONTROL_SAME_##n},
		WW_CONTROL_SAMES(SAME_)};

	for (size_t i = 0; i < WW_ARRAY_SIZE(sames); i++) {
		if (ww_rd_is(*text, sames[i].name)) {
			*ret = sames[i].same;
			return 0;
		}
	}
	return -EINVAL;
}

static int read_control(struct ww_slice object, struct ww_control *k, struct ww_errtext *why)
{
	struct ww_rd_text name = {WW_SLICE_NULL, false}, same = {WW_SLICE_NULL, false};
	struct ww_rd_number age = {0}, uses = {0};
	struct ww_slice destinations, methods, paths;
	bool subject = false;
	struct ww_member_want m[] = {
		WW_MEMBER("name", TEXT, &name),      WW_MEMBER("destinations", RAW, &destinations),
		WW_MEMBER("methods", RAW, &methods), WW_MEMBER("paths", RAW, &paths),
		WW_MEMBER("same", TEXT, &same),      WW_MEMBER("subject", FLAG, &subject),
		WW_MEMBER("maxAgeS", NUMBER, &age),  WW_MEMBER("maxUses", NUMBER, &uses),
	};
	int r = WW_MEMBERS_READ(object, "a control", m, why);

	if (r == 0 && (age.n > UINT32_MAX || uses.n > UINT32_MAX || read_same(&same, &k->same) < 0))
		return ww_errtext_set(why, -EINVAL, "the terms are not understood");
	if (r == 0)
		r = take_copy(&name, &k->name);
	k->max_age_s = (uint32_t)age.n;
	k->max_uses = (uint32_t)uses.n;
	/* Which paths are compared is not recorded, only that some are. */
	if (r == 0 && subject) {
		k->subject = calloc(2, sizeof(*k->subject));
		k->subject_count = k->subject ? 2 : 0;
		r = k->subject ? 0 : -ENOMEM;
	}
	if (r == 0)
		r = read_pattern(destinations, methods, paths, &k->call, why);
	return r < 0 ? r : read_success(object, &k->allow, why);
}

static int take_control(void *ctx, const struct ww_json_token *t, struct ww_slice text,
			struct ww_errtext *why)
{
	struct ww_contract *c = ctx;

	if (!c->controls)
		c->controls = calloc(WW_CONTROLS_MAX, sizeof(*c->controls));
	if (!c->controls)
		return -ENOMEM;
	if (c->control_count == WW_CONTROLS_MAX)
		return ww_errtext_set(why, -EINVAL, "the terms are not understood");
	return read_control(text, &c->controls[c->control_count++], why);
}

/* What is declared of the answer besides success. */
static int read_answer(struct ww_slice terms, struct ww_contract *c, struct ww_errtext *why)
{
	struct ww_rd_text mcp = {WW_SLICE_NULL, false}, id = {WW_SLICE_NULL, false};
	struct ww_rd_text bulk = {WW_SLICE_NULL, false};
	struct ww_slice paths = WW_SLICE_NULL, readback = WW_SLICE_NULL;
	struct ww_member_want m[] = {
		WW_MEMBER("mcpTool", TEXT, &mcp),        WW_MEMBER("idPath", TEXT, &id),
		WW_MEMBER("answerPaths", MAYBE, &paths), WW_MEMBER("readback", MAYBE, &readback),
		WW_MEMBER("bulkItems", TEXT, &bulk),
	};
	int r = WW_MEMBERS_READ(terms, "the terms", m, why);

	if (r == 0 && mcp.s.p)
		r = take_copy(&mcp, &c->mcp_tool);
	if (r == 0 && id.s.p)
		r = take_copy(&id, &c->id_path);
	if (r == 0 && bulk.s.p)
		r = take_copy(&bulk, &c->bulk.items);
	if (r == 0 && paths.n)
		r = ww_members_each(paths, "the answer's paths", take_text,
				    &(struct texts){&c->answer_path_count, &c->answer_paths}, why);
	if (r == 0 && c->answer_path_count > WW_ANSWER_PATHS_MAX)
		return ww_errtext_set(why, -EINVAL, "the terms are not understood");
	return r == 0 && readback.n ? read_readback(readback, &c->readback, why) : r;
}

static int read_network(struct ww_slice terms, struct ww_contract *c, struct ww_errtext *why)
{
	struct ww_slice destinations, methods, paths, controls = WW_SLICE_NULL;
	struct ww_rd_number deadline = {0};
	struct ww_member_want m[] = {
		WW_MEMBER("destinations", RAW, &destinations),
		WW_MEMBER("methods", RAW, &methods),
		WW_MEMBER("paths", RAW, &paths),
		WW_MEMBER("deadlineS", NUMBER, &deadline),
		WW_MEMBER("deferred", FLAG, &c->deferred),
		WW_MEMBER("controls", MAYBE, &controls),
	};
	int r = WW_MEMBERS_READ(terms, "the terms", m, why);

	if (r < 0)
		return r;
	if (deadline.n > UINT32_MAX)
		return ww_errtext_set(why, -EINVAL, "the terms are not understood");
	c->deadline_s = (uint32_t)deadline.n;
	r = read_pattern(destinations, methods, paths, &c->call, why);
	if (r == 0)
		r = read_success(terms, &c->success, why);
	if (r == 0)
		r = read_answer(terms, c, why);
	return r == 0 && controls.n
		       ? ww_members_each(controls, "the controls", take_control, c, why)
		       : r;
}

/* Of a process or file effect that says what it looks like; *ret_whole: that is in it. */
static int read_local(struct ww_slice terms, struct ww_local *l, bool *ret_whole,
		      struct ww_errtext *why)
{
	struct ww_slice programs = WW_SLICE_NULL, files = WW_SLICE_NULL;
	struct ww_rd_number min = {0}, max = {0}, changes = {0};
	bool local = false;
	struct ww_member_want m[] = {
		WW_MEMBER("local", FLAG, &local),   WW_MEMBER("programs", MAYBE, &programs),
		WW_MEMBER("exitMin", NUMBER, &min), WW_MEMBER("exitMax", NUMBER, &max),
		WW_MEMBER("files", MAYBE, &files),  WW_MEMBER("changes", NUMBER, &changes),
	};
	int r = WW_MEMBERS_READ(terms, "the terms", m, why);

	if (r == 0 && programs.n)
		r = ww_members_each(programs, "the programs", take_text,
				    &(struct texts){&l->program_count, &l->programs}, why);
	if (r == 0 && files.n)
		r = ww_members_each(files, "the files", take_text,
				    &(struct texts){&l->file_count, &l->files}, why);
	if (r == 0 && (min.n > UINT8_MAX || max.n > UINT8_MAX || changes.n > UINT8_MAX))
		return ww_errtext_set(why, -EINVAL, "the terms are not understood");
	l->exit_given = min.there;
	l->exit_min = (uint8_t)min.n;
	l->exit_max = (uint8_t)max.n;
	l->changes = (uint32_t)changes.n;
	*ret_whole = !local || programs.n || files.n;
	return r;
}

static int take_attester(void *ctx, const struct ww_json_token *t, struct ww_slice text,
			 struct ww_errtext *why)
{
	struct ww_rd_text name = {WW_SLICE_NULL, false}, key = {WW_SLICE_NULL, false};
	struct ww_contract *c = ctx;
	struct ww_member_want m[] = {WW_MEMBER("name", TEXT, &name), WW_MEMBER("key", TEXT, &key)};
	struct ww_attester *a;
	int r = WW_MEMBERS_READ(text, "an attester", m, why);

	if (r < 0)
		return r;
	if (!c->attesters)
		c->attesters = calloc(WW_ATTESTERS_MAX, sizeof(*c->attesters));
	if (!c->attesters)
		return -ENOMEM;
	if (c->attester_count == WW_ATTESTERS_MAX || !ww_attester_name_ok(name.s))
		return ww_errtext_set(why, -EINVAL, "the terms name no attester");
	a = &c->attesters[c->attester_count];
	if (ww_attester_key_parse(key.s, a) < 0)
		return ww_errtext_set(why, -EINVAL, "the terms name no attester's key");
	memcpy(a->name, name.s.p, name.s.n);
	c->attester_count++;
	return 0;
}

int ww_rd_attesters_read(struct ww_slice terms, struct ww_contract *c, struct ww_errtext *why)
{
	struct ww_slice attesters = WW_SLICE_NULL;
	struct ww_member_want m[] = {WW_MEMBER("attesters", MAYBE, &attesters)};
	int r = WW_MEMBERS_READ(terms, "the terms", m, why);

	return r == 0 && attesters.n
		       ? ww_members_each(attesters, "the attesters", take_attester, c, why)
		       : r;
}

int ww_rd_terms_read(struct ww_slice terms, struct ww_contracts **ret, bool *ret_whole,
		     struct ww_errtext *why)
{
	WW_AUTO(ww_contracts_free_auto) struct ww_contracts *all = calloc(1, sizeof(*all));
	struct ww_rd_text effect = {WW_SLICE_NULL, false};
	struct ww_slice destinations = WW_SLICE_NULL;
	struct ww_member_want m[] = {WW_MEMBER("effect", TEXT, &effect),
				     WW_MEMBER("destinations", MAYBE, &destinations)};
	int r = WW_MEMBERS_READ(terms, "the terms", m, why);

	if (!all)
		return -ENOMEM;
	if (r < 0)
		return r;
	all->items = calloc(1, sizeof(*all->items));
	if (!all->items)
		return -ENOMEM;
	all->count = 1;
	if (read_effect(&effect, &all->items[0].effect) < 0)
		return ww_errtext_set(why, -EINVAL, "the terms name no known effect");
	*ret_whole = !ww_contract_networked(&all->items[0]) || destinations.n > 0;
	r = ww_rd_attesters_read(terms, &all->items[0], why);
	if (r == 0 &&
	    (all->items[0].effect == WW_EFFECT_PROCESS || all->items[0].effect == WW_EFFECT_FILE))
		r = read_local(terms, &all->items[0].local, ret_whole, why);
	if (r == 0 && destinations.n)
		r = read_network(terms, &all->items[0], why);
	if (r == 0)
		*ret = WW_TAKE(all);
	return r;
}

int ww_rd_endpoint_read(struct ww_slice text, struct ww_endpoint *ret)
{
	char address[INET6_ADDRSTRLEN];
	struct ww_endpoint e = {0};
	size_t colon = text.n;
	struct ww_slice host;
	uint64_t port;

	while (colon > 0 && text.p[colon - 1] != ':')
		colon--;
	if (colon == 0 || ww_slice_u64(ww_slice_sub(text, colon, text.n), &port) < 0 ||
	    port > UINT16_MAX)
		return -EINVAL;
	host = ww_slice_sub(text, 0, colon - 1);
	e.family = AF_INET;
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
		host = ww_slice_sub(host, 1, host.n - 2);
		e.family = AF_INET6;
	}
	if (host.n >= sizeof(address) || memchr(host.p, 0, host.n))
		return -EINVAL;
	memcpy(address, host.p, host.n);
	address[host.n] = '\0';
	if (inet_pton(e.family, address, e.addr) != 1)
		return -EINVAL;
	e.port = (uint16_t)port;
	*ret = e;
	return 0;
}
