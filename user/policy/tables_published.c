/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address ranges as clouds publish them: ip-ranges.json of AWS, cloud.json of GCP, ServiceTags of
 * Azure, and bare lists of networks. Members that are not known are refused: one of them may say
 * that a range is no longer in use.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "base/json.h"
#include "policy/tables_read.h"

struct reader {
	struct ww_json j;
	struct ww_tables *t;
	const struct ww_tables_import *how;
	struct ww_tables_error *error;
};

static int fail(struct reader *r, const struct ww_json_token *t, const char *expected)
{
	return ww_tables_fail(r->error, true, t->at, "expected %s", expected);
}

static int fail_json(struct reader *r, enum ww_parse answer)
{
	if (answer == WW_PARSE_BAD)
		return ww_tables_fail(r->error, true, r->j.error.at, "not JSON: %s",
				      r->j.error.reason);
	return ww_tables_fail(r->error, true, r->j.in.n, "the file ends too early");
}

static int next(struct reader *r, struct ww_json_token *ret)
{
	enum ww_parse answer = ww_json_next(&r->j, ret);

	return answer == WW_PARSE_DONE ? 0 : fail_json(r, answer);
}

static int skip(struct reader *r, const struct ww_json_token *first)
{
	enum ww_parse answer = ww_json_skip(&r->j, first);

	return answer == WW_PARSE_DONE ? 0 : fail_json(r, answer);
}

/* --- objects by tables of members ---------------------------------------------------------------
 */

typedef int (*take_fn)(struct reader *r, const struct ww_json_token *t, void *into);

struct member {
	const char *key;
	take_fn take; /* NULL: known, and not read */
	bool required;
	size_t at; /* of what is read, in the object's struct */
};

static int take_member(struct reader *r, const struct ww_json_token *key, const struct member *m,
		       void *into)
{
	struct ww_json_token value;

	if (!m->take)
		return skip(r, key);
	if (next(r, &value) < 0)
		return -EINVAL;
	return m->take(r, &value, into ? (char *)into + m->at : NULL);
}

static int object(struct reader *r, const struct ww_json_token *first, const struct member *members,
		  unsigned count, void *into)
{
	struct ww_json_token t;
	unsigned seen = 0, i;

	if (first->type != WW_JSON_OBJECT)
		return fail(r, first, "an object");
	for (;;) {
		int err = next(r, &t);

		if (err < 0)
			return err;
		if (t.type == WW_JSON_END_OBJECT)
			break;
		for (i = 0; i < count && !ww_json_is(&t, members[i].key); i++)
			;
		if (i == count)
			return ww_tables_fail(r->error, true, t.at,
					      "a member that is not known: what it says about the "
					      "range is not understood");
		if (seen & 1u << i)
			return ww_tables_fail(r->error, true, t.at, "duplicate key: %s",
					      members[i].key);
		seen |= 1u << i;
		err = take_member(r, &t, &members[i], into);
		if (err < 0)
			return err;
	}
	for (i = 0; i < count; i++) {
		if (members[i].required && !(seen & 1u << i))
			return ww_tables_fail(r->error, true, first->at, "no member %s",
					      members[i].key);
	}
	return 0;
}

static int array(struct reader *r, const struct ww_json_token *first, take_fn take, void *into)
{
	struct ww_json_token t;

	if (first->type != WW_JSON_ARRAY)
		return fail(r, first, "an array");
	for (;;) {
		int err = next(r, &t);

		if (err < 0 || t.type == WW_JSON_END_ARRAY)
			return err;
		err = take(r, &t, into);
		if (err < 0)
			return err;
	}
}

/* A text of the file, decoded. */
struct text {
	uint8_t p[WW_TABLES_TEXT_MAX];
	size_t n;
};

static struct ww_slice slice_of(const struct text *t)
{
	return ww_slice(t->p, t->n);
}

static int take_text(struct reader *r, const struct ww_json_token *t, void *into)
{
	WW_AUTO_BUF struct ww_buf b = {.max = WW_TABLES_TEXT_MAX};
	struct text *text = into;
	int err = t->type == WW_JSON_STRING ? ww_json_unescape(t, &b) : -EINVAL;

	if (err == -ENOMEM)
		return err;
	if (err < 0 || !ww_tables_text_ok(ww_buf_slice(&b)))
		return fail(r, t, "a text of at most 96 bytes without control characters");
	if (b.n)
		memcpy(text->p, b.p, b.n);
	text->n = b.n;
	return 0;
}

static int take_prefix(struct reader *r, const struct ww_json_token *t, void *into)
{
	if (t->type != WW_JSON_STRING || ww_cidr_parse_network(t->raw, into) < 0)
		return fail(r, t, "a network like 203.0.113.0/24, without host bits");
	return 0;
}

static int add_row(struct reader *r, const struct ww_json_token *at, const struct ww_cidr *prefix,
		   struct ww_tables_words *w)
{
	w->basis = WW_TABLES_PUBLISHED;
	w->valid = (struct ww_tables_time){INT32_MIN, r->how->until};
	return ww_tables_fail_add(r->error, true, at->at, ww_tables_add_row(r->t, prefix, w, 0));
}

/* Of the file itself; what the caller gives must not say otherwise. */
static int set_as_of(struct reader *r, const struct ww_json_token *t, struct ww_slice text)
{
	if (r->how->as_of[0])
		return fail(r, t, "no date to be given: the file says its own");
	if (ww_tables_as_of_parse(text, ww_tables_last(r->t)->as_of) < 0)
		return fail(r, t, "the time of publication");
	return 0;
}

/* --- AWS ----------------------------------------------------------------------------------------
 */

/* "2026-11-20-03-21-09" */
static int take_create_date(struct reader *r, const struct ww_json_token *t, void *into)
{
	char rfc[] = "0000-00-00T00:00:00Z";

	if (t->type != WW_JSON_STRING || t->escaped || t->raw.n != 19 || t->raw.p[10] != '-' ||
	    t->raw.p[13] != '-' || t->raw.p[16] != '-')
		return fail(r, t, "a time like 2026-11-20-03-21-09");
	memcpy(rfc, t->raw.p, 10);
	memcpy(rfc + 11, t->raw.p + 11, 2);
	memcpy(rfc + 14, t->raw.p + 14, 2);
	memcpy(rfc + 17, t->raw.p + 17, 2);
	return set_as_of(r, t, ww_slice_str(rfc));
}

struct range {
	struct ww_cidr prefix;
	struct text region, service, group;
};

static int take_aws_range(struct reader *r, const struct ww_json_token *t, void *into)
{
	const char *key = into;
	const struct member members[] = {
		{key, take_prefix, true, offsetof(struct range, prefix)},
		{"region", take_text, true, offsetof(struct range, region)},
		{"service", take_text, true, offsetof(struct range, service)},
		{"network_border_group", take_text, false, offsetof(struct range, group)},
	};
	struct range a = {0};
	struct ww_tables_words w = {.operator_name = WW_SLICE_LIT("aws")};
	int err = object(r, t, members, WW_ARRAY_SIZE(members), &a);

	if (err < 0)
		return err;
	w.service = slice_of(&a.service);
	w.region = slice_of(&a.region);
	/* Elsewhere than the region: a local zone. */
	if (!ww_slice_eq(slice_of(&a.group), w.region))
		w.zone = slice_of(&a.group);
	return add_row(r, t, &a.prefix, &w);
}

static int take_aws_v4(struct reader *r, const struct ww_json_token *t, void *into)
{
	return array(r, t, take_aws_range, (char[]){"ip_prefix"});
}

static int take_aws_v6(struct reader *r, const struct ww_json_token *t, void *into)
{
	return array(r, t, take_aws_range, (char[]){"ipv6_prefix"});
}

static const struct member aws[] = {
	{"syncToken", NULL, true, 0},
	{"createDate", take_create_date, true, 0},
	{"prefixes", take_aws_v4, true, 0},
	{"ipv6_prefixes", take_aws_v6, true, 0},
};

/* --- GCP ----------------------------------------------------------------------------------------
 */

/* "2026-11-20T03:21:09.123456": UTC without its letter. */
static int take_creation_time(struct reader *r, const struct ww_json_token *t, void *into)
{
	char rfc[WW_RFC3339_MAX];

	if (t->type != WW_JSON_STRING || t->escaped || t->raw.n < 19 || t->raw.n + 2 > sizeof(rfc))
		return fail(r, t, "a time like 2026-11-20T03:21:09.123456");
	memcpy(rfc, t->raw.p, t->raw.n);
	memcpy(rfc + t->raw.n, "Z", 2);
	return set_as_of(r, t, ww_slice_str(rfc));
}

struct gcp_range {
	struct ww_cidr v4, v6;
	struct text service, scope;
};

static int take_gcp_range(struct reader *r, const struct ww_json_token *t, void *into)
{
	static const struct member members[] = {
		{"ipv4Prefix", take_prefix, false, offsetof(struct gcp_range, v4)},
		{"ipv6Prefix", take_prefix, false, offsetof(struct gcp_range, v6)},
		{"service", take_text, true, offsetof(struct gcp_range, service)},
		{"scope", take_text, true, offsetof(struct gcp_range, scope)},
	};
	struct gcp_range g = {0};
	struct ww_tables_words w = {.operator_name = WW_SLICE_LIT("gcp")};
	int err = object(r, t, members, WW_ARRAY_SIZE(members), &g);

	if (err < 0)
		return err;
	if (!g.v4.family == !g.v6.family)
		return fail(r, t, "one of ipv4Prefix and ipv6Prefix");
	w.service = slice_of(&g.service);
	w.region = slice_of(&g.scope);
	return add_row(r, t, g.v4.family ? &g.v4 : &g.v6, &w);
}

static int take_gcp(struct reader *r, const struct ww_json_token *t, void *into)
{
	return array(r, t, take_gcp_range, NULL);
}

static const struct member gcp[] = {
	{"syncToken", NULL, true, 0},
	{"creationTime", take_creation_time, true, 0},
	{"prefixes", take_gcp, true, 0},
};

/* --- Azure --------------------------------------------------------------------------------------
 */

/* A service tag. Its members come in any order: the addresses are read when all of it is known. */
struct tag {
	struct text name, region;
	struct ww_json_token first; /* of the addresses */
	struct ww_json addresses;   /* where they are */
	bool has;
};

static int take_addresses(struct reader *r, const struct ww_json_token *t, void *into)
{
	struct tag *tag = into;

	if (t->type != WW_JSON_ARRAY)
		return fail(r, t, "an array");
	tag->first = *t;
	tag->addresses = r->j;
	tag->has = true;
	return skip(r, t);
}

static int take_properties(struct reader *r, const struct ww_json_token *t, void *into)
{
	static const struct member members[] = {
		{"changeNumber", NULL, false, 0},
		{"region", take_text, true, offsetof(struct tag, region)},
		{"regionId", NULL, false, 0},
		{"platform", NULL, false, 0},
		{"systemService", NULL, true, 0},
		{"addressPrefixes", take_addresses, true, 0},
		{"networkFeatures", NULL, false, 0},
	};

	return object(r, t, members, WW_ARRAY_SIZE(members), into);
}

static int take_address(struct reader *r, const struct ww_json_token *t, void *into)
{
	const struct tag *tag = into;
	struct ww_tables_words w = {.operator_name = WW_SLICE_LIT("azure"),
				    .service = slice_of(&tag->name),
				    .region = slice_of(&tag->region)};
	struct ww_cidr prefix;
	int err = take_prefix(r, t, &prefix);

	return err < 0 ? err : add_row(r, t, &prefix, &w);
}

static int take_tag(struct reader *r, const struct ww_json_token *t, void *into)
{
	static const struct member members[] = {
		{"name", take_text, true, offsetof(struct tag, name)},
		{"id", NULL, true, 0},
		{"properties", take_properties, true, 0},
	};
	struct tag tag = {0};
	struct ww_json after;
	int err = object(r, t, members, WW_ARRAY_SIZE(members), &tag);

	if (err < 0)
		return err;
	after = r->j;
	r->j = tag.addresses;
	err = array(r, &tag.first, take_address, &tag);
	if (err == 0)
		r->j = after;
	return err;
}

static int take_values(struct reader *r, const struct ww_json_token *t, void *into)
{
	return array(r, t, take_tag, NULL);
}

static const struct member azure[] = {
	{"changeNumber", NULL, true, 0},
	{"cloud", NULL, true, 0},
	{"values", take_values, true, 0},
};

/* --- any of them --------------------------------------------------------------------------------
 */

static int read_json(struct reader *r, struct ww_slice file, const struct member *members,
		     unsigned count)
{
	struct ww_json_token t;
	int err;

	ww_json_init(&r->j, file);
	err = next(r, &t);
	if (err == 0)
		err = object(r, &t, members, count, NULL);
	if (err == 0 && ww_json_next(&r->j, &t) != WW_PARSE_END)
		err = ww_tables_fail(r->error, true, r->j.at, "something behind the end");
	return err;
}

static int read_list(struct reader *r, struct ww_slice file)
{
	struct ww_tables_words w = {.operator_name = r->how->operator_name};
	struct ww_slice rest = file, line;
	uint32_t number = 0;

	w.basis = WW_TABLES_PUBLISHED;
	w.valid = (struct ww_tables_time){INT32_MIN, r->how->until};
	while (rest.n) {
		struct ww_cidr prefix;
		int err;

		number++;
		if (!ww_slice_line(&rest, &line)) { /* the last one may lack its line feed */
			line = rest;
			rest = WW_SLICE_NULL;
		}
		if (ww_cidr_parse_network(line, &prefix) < 0)
			return ww_tables_fail(r->error, false, number,
					      "expected a network like 203.0.113.0/24, without "
					      "host bits, and nothing else");
		err = ww_tables_fail_add(r->error, false, number,
					 ww_tables_add_row(r->t, &prefix, &w, number));
		if (err < 0)
			return err;
	}
	return 0;
}

static int read_shape(struct reader *r, struct ww_slice file, const char *shape)
{
	if (strcmp(shape, "aws") == 0)
		return read_json(r, file, aws, WW_ARRAY_SIZE(aws));
	if (strcmp(shape, "gcp") == 0)
		return read_json(r, file, gcp, WW_ARRAY_SIZE(gcp));
	if (strcmp(shape, "azure") == 0)
		return read_json(r, file, azure, WW_ARRAY_SIZE(azure));
	if (strcmp(shape, "list") == 0 && !r->how->operator_name.n)
		return ww_tables_fail(r->error, false, 0,
				      "a bare list does not say whose networks they are: give "
				      "--operator");
	if (strcmp(shape, "list") == 0)
		return read_list(r, file);
	return ww_tables_fail(r->error, false, 0, "no published file: %s", shape);
}

/* What the file does not say has to be given, and nothing else. */
static int check_given(struct reader *r, const char *shape)
{
	struct ww_tables_file *table = ww_tables_last(r->t);

	if (strcmp(shape, "list") != 0 && r->how->operator_name.n)
		return ww_tables_fail(r->error, false, 0,
				      "the file says whose networks they are: "
				      "--operator is for bare lists");
	if (table->as_of[0])
		return 0;
	if (!r->how->as_of[0])
		return ww_tables_fail(r->error, false, 0,
				      "the file does not say of when it is: give --as-of");
	memcpy(table->as_of, r->how->as_of, sizeof(table->as_of));
	return 0;
}

/* JSON that is of nobody we know, or breaks before it says whose it is. */
static int fail_unknown(struct reader *r, struct ww_slice file)
{
	struct ww_json_token t;
	enum ww_parse answer;

	ww_json_init(&r->j, file);
	if (file.n && file.p[0] == '{') {
		do
			answer = ww_json_next(&r->j, &t);
		while (answer == WW_PARSE_DONE);
		if (answer != WW_PARSE_END)
			return fail_json(r, answer);
	}
	return ww_tables_fail(r->error, false, 0,
			      "not understood: neither AWS's, GCP's or Azure's file nor a list of "
			      "networks");
}

int ww_tables_published_read(struct ww_slice file, const struct ww_tables_import *how,
			     struct ww_tables **ret, struct ww_tables_error *ret_error)
{
	WW_AUTO(ww_tables_free_auto) struct ww_tables *t = NULL;
	struct ww_tables_file meta = {.published = true};
	struct reader r = {.how = how, .error = ret_error};
	int err = ww_tables_new(&t);

	*ret_error = (struct ww_tables_error){0};
	meta.shape = ww_tables_shape(file);
	ww_sha256(file, &meta.source);
	if (err == 0)
		err = ww_tables_add(t, &meta);
	r.t = t;
	if (err == 0)
		err = meta.shape ? read_shape(&r, file, meta.shape) : fail_unknown(&r, file);
	if (err == 0)
		err = check_given(&r, meta.shape);
	if (err == 0 && ww_tables_last(t)->rows == 0)
		err = ww_tables_fail(ret_error, false, 0, "no networks in it");
	if (err == 0)
		err = ww_tables_seal(t);
	if (err < 0)
		return err;
	*ret = WW_TAKE(t);
	return 0;
}
