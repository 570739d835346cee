/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/warden_commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/json.h"
#include "ledger/durable.h"
#include "policy/guard_rules.h"

#define FILE_NAME    "guard"
#define LINE_MAX_    1024u
#define FILE_MAX     (WW_WARDEN_COMMANDS_MAX * LINE_MAX_)
#define SECONDS_MAX  (366u * 86400u)
#define NS_PER_S     1000000000ull
#define REQUEST_KEYS "\"prefix\", \"region\" or \"agent\""

/* --- requests ----------------------------------------------------------------------------------
 */

enum ww_warden_verb ww_warden_verb(struct ww_slice request)
{
	static const struct {
		const char *text;
		enum ww_warden_verb verb;
	} verbs[] = {{"deny", WW_WARDEN_DENY},
		     {"allow", WW_WARDEN_ALLOW},
		     {"cut", WW_WARDEN_CUT},
		     {"list", WW_WARDEN_LIST}};
	struct ww_json_token t;

	if (ww_json_path(request, "$.do", &t, NULL) != WW_PARSE_DONE || t.type != WW_JSON_STRING)
		return WW_WARDEN_NONE;
	for (size_t i = 0; i < WW_ARRAY_SIZE(verbs); i++) {
		if (ww_json_is(&t, verbs[i].text))
			return verbs[i].verb;
	}
	return WW_WARDEN_NONE;
}

/* A member that is a text, decoded; absent or null: empty. */
static int take_text(struct ww_slice doc, const char *path, char *out, size_t cap)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	struct ww_json_token t;
	enum ww_parse r = ww_json_path(doc, path, &t, NULL);

	out[0] = '\0';
	if (r == WW_PARSE_END || (r == WW_PARSE_DONE && t.type == WW_JSON_NULL))
		return 0;
	if (r != WW_PARSE_DONE || t.type != WW_JSON_STRING)
		return -EINVAL;
	ww_buf_init(&b, cap - 1);
	if (ww_json_unescape(&t, &b) < 0 || b.n == 0 || memchr(b.p, '\0', b.n))
		return -EINVAL;
	memcpy(out, b.p, b.n);
	out[b.n] = '\0';
	return 0;
}

/* What is denied. 0 or -EINVAL with why. */
static int take_target(struct ww_slice doc, struct ww_warden_command *c, struct ww_errtext *why)
{
	char prefix[WW_CIDR_TEXT_MAX];

	if (take_text(doc, "$.prefix", prefix, sizeof(prefix)) < 0 ||
	    take_text(doc, "$.region", c->region, sizeof(c->region)) < 0 ||
	    take_text(doc, "$.agent", c->agent, sizeof(c->agent)) < 0 ||
	    (prefix[0] && c->region[0]) || (!prefix[0] && !c->region[0] && !c->agent[0]))
		return ww_errtext_set(why, -EINVAL, "guard: expected " REQUEST_KEYS);
	if (!ww_tables_text_ok(ww_slice_str(c->region)) ||
	    !ww_tables_text_ok(ww_slice_str(c->agent)))
		return ww_errtext_set(why, -EINVAL, "guard: not a printable name");
	if (prefix[0] && ww_cidr_parse(ww_slice_str(prefix), &c->prefix) < 0)
		return ww_errtext_set(why, -EINVAL,
				      "guard: expected a network such as 203.0.113.0/24 or "
				      "2001:db8::/32, or an address; no bits behind its length");
	c->what = prefix[0] ? WW_WARDEN_PREFIX : c->region[0] ? WW_WARDEN_REGION : WW_WARDEN_ALL;
	return 0;
}

int ww_warden_command_read(struct ww_slice request, bool deny, struct ww_wall now,
			   struct ww_warden_command *ret, bool *ret_cut, struct ww_errtext *why)
{
	struct ww_warden_command c = {.what = WW_WARDEN_PREFIX};
	struct ww_json_token t;
	uint64_t seconds;
	enum ww_parse r;

	*ret_cut = false;
	if (take_target(request, &c, why) < 0)
		return -EINVAL;
	r = ww_json_path(request, "$.forS", &t, NULL);
	if (r == WW_PARSE_DONE) {
		if (!deny || t.type != WW_JSON_NUMBER || ww_json_u64(&t, &seconds) < 0 ||
		    seconds == 0 || seconds > SECONDS_MAX)
			return ww_errtext_set(why, -EINVAL,
					      "guard: \"forS\" must be seconds, at most %u",
					      SECONDS_MAX);
		c.until.ns = now.ns + seconds * NS_PER_S;
	} else if (r != WW_PARSE_END) {
		return ww_errtext_set(why, -EINVAL, "guard: \"forS\" is there twice");
	}
	r = ww_json_path(request, "$.cut", &t, NULL);
	if (r != WW_PARSE_END &&
	    (r != WW_PARSE_DONE || !deny || (t.type != WW_JSON_TRUE && t.type != WW_JSON_FALSE)))
		return ww_errtext_set(why, -EINVAL, "guard: \"cut\" must be true or false");
	*ret_cut = r == WW_PARSE_DONE && t.type == WW_JSON_TRUE;
	*ret = c;
	return 0;
}

int ww_warden_flow_read(struct ww_slice request, uint64_t *ret_cookie, struct ww_errtext *why)
{
	char id[32];
	uint64_t cookie = 0;
	size_t n;

	if (take_text(request, "$.flow", id, sizeof(id)) < 0 || strncmp(id, "f-", 2) != 0)
		return ww_errtext_set(why, -EINVAL, "guard: expected \"flow\", as in f-1a2b");
	n = strspn(id + 2, "0123456789abcdef");
	if (n == 0 || n > 16 || id[2 + n])
		return ww_errtext_set(why, -EINVAL, "guard: expected \"flow\", as in f-1a2b");
	for (size_t i = 0; i < n; i++) {
		char d = id[2 + i];

		cookie = cookie << 4 | (uint64_t)(d <= '9' ? d - '0' : d - 'a' + 10);
	}
	*ret_cookie = cookie;
	return 0;
}

/* --- the set -----------------------------------------------------------------------------------
 */

void ww_warden_command_text(const struct ww_warden_command *c, char *out)
{
	char what[WW_TABLES_TEXT_MAX + 16] = "", until[WW_RFC3339_MAX] = "";

	if (c->what == WW_WARDEN_PREFIX)
		ww_cidr_text(&c->prefix, what);
	else if (c->what == WW_WARDEN_REGION)
		snprintf(what, sizeof(what), "--region %s", c->region);
	if (c->until.ns)
		ww_wall_rfc3339(c->until, until);
	snprintf(out, WW_WARDEN_TEXT_MAX, "%s%s%s%s%s%s", what, what[0] && c->agent[0] ? " " : "",
		 c->agent[0] ? "--agent " : "", c->agent, until[0] ? " until " : "", until);
}

static bool is_same(const struct ww_warden_command *a, const struct ww_warden_command *b)
{
	return a->what == b->what && strcmp(a->agent, b->agent) == 0 &&
	       strcmp(a->region, b->region) == 0 && a->prefix.family == b->prefix.family &&
	       a->prefix.bits == b->prefix.bits &&
	       memcmp(a->prefix.addr, b->prefix.addr, sizeof(a->prefix.addr)) == 0;
}

static struct ww_warden_command *find(struct ww_warden_commands *s,
				      const struct ww_warden_command *c)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (is_same(&s->at[i], c))
			return &s->at[i];
	}
	return NULL;
}

int ww_warden_commands_add(struct ww_warden_commands *s, const struct ww_warden_command *c,
			   struct ww_errtext *why)
{
	struct ww_warden_command *there = find(s, c);

	if (!there && s->count == WW_WARDEN_COMMANDS_MAX)
		return ww_errtext_set(why, -ENOSPC, "at most %u denials by command at a time",
				      WW_WARDEN_COMMANDS_MAX);
	if (!there)
		there = &s->at[s->count++];
	*there = *c;
	return 0;
}

static void remove_at(struct ww_warden_commands *s, unsigned i)
{
	s->count--;
	memmove(&s->at[i], &s->at[i + 1], (s->count - i) * sizeof(s->at[0]));
}

int ww_warden_commands_remove(struct ww_warden_commands *s, const struct ww_warden_command *c,
			      struct ww_errtext *why)
{
	struct ww_warden_command *there = find(s, c);
	char text[WW_WARDEN_TEXT_MAX];

	if (!there) {
		ww_warden_command_text(c, text);
		return ww_errtext_set(why, -ENOENT,
				      "no command denies %s: allow lifts what deny did, in the "
				      "same words",
				      text);
	}
	remove_at(s, (unsigned)(there - s->at));
	return 0;
}

bool ww_warden_commands_expire(struct ww_warden_commands *s, struct ww_wall now, char *text)
{
	char target[WW_WARDEN_TEXT_MAX];
	bool any = false;

	for (unsigned i = 0; i < s->count;) {
		if (!s->at[i].until.ns || s->at[i].until.ns > now.ns) {
			i++;
			continue;
		}
		ww_warden_command_text(&s->at[i], target);
		if (!any && text)
			snprintf(text, WW_PATH_BYTES_MAX, "over: deny %s", target);
		any = true;
		remove_at(s, i);
	}
	return any;
}

/* --- the file ----------------------------------------------------------------------------------
 */

static void write_command(const struct ww_warden_command *c, struct ww_jsonw *w)
{
	char text[WW_CIDR_TEXT_MAX], until[WW_RFC3339_MAX];

	if (c->what == WW_WARDEN_PREFIX) {
		ww_cidr_text(&c->prefix, text);
		ww_jsonw_cstr(w, "prefix", text);
	} else if (c->what == WW_WARDEN_REGION) {
		ww_jsonw_cstr(w, "region", c->region);
	}
	ww_jsonw_cstr(w, "agent", c->agent[0] ? c->agent : NULL);
	if (c->until.ns)
		ww_wall_rfc3339(c->until, until);
	ww_jsonw_cstr(w, "until", c->until.ns ? until : NULL);
	ww_jsonw_u64(w, "uid", c->uid);
}

static int read_line(struct ww_slice line, struct ww_warden_command *c)
{
	char until[WW_RFC3339_MAX + 1];
	struct ww_json_token uid;
	uint64_t n;

	if (take_target(line, c, NULL) < 0 ||
	    take_text(line, "$.until", until, sizeof(until)) < 0 ||
	    ww_json_path(line, "$.uid", &uid, NULL) != WW_PARSE_DONE ||
	    uid.type != WW_JSON_NUMBER || ww_json_u64(&uid, &n) < 0 || n > UINT32_MAX)
		return -EINVAL;
	c->uid = (uint32_t)n;
	if (until[0] && (ww_wall_parse(ww_slice_str(until), &c->until) < 0 || !c->until.ns))
		return -EINVAL;
	return 0;
}

int ww_warden_commands_read(struct ww_slice file, struct ww_warden_commands *ret,
			    unsigned *ret_line)
{
	struct ww_warden_commands s = {.count = 0};

	for (unsigned line = 1; file.n; line++) {
		size_t end = ww_slice_find(file, 0, '\n');
		struct ww_warden_command c = {.what = WW_WARDEN_PREFIX};

		if (end == file.n || read_line(ww_slice_sub(file, 0, end), &c) < 0 ||
		    ww_warden_commands_add(&s, &c, NULL) < 0) {
			*ret_line = line;
			return -EINVAL;
		}
		file = ww_slice_sub(file, end + 1, file.n);
	}
	*ret = s;
	return 0;
}

int ww_warden_commands_load(struct ww_warden_commands *ret, const char *dir, struct ww_errtext *why)
{
	WW_AUTO_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	WW_AUTO_BUF struct ww_buf b = {0};
	unsigned line;
	int r;

	ww_buf_init(&b, FILE_MAX);
	r = fd < 0 ? -errno : ww_durable_read(fd, FILE_NAME, &b);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot read %s/" FILE_NAME, dir);
	if (ww_warden_commands_read(ww_buf_slice(&b), ret, &line) < 0)
		return ww_errtext_set(why, -EINVAL,
				      "%s/" FILE_NAME ":%u: not a denial as it is kept there; mend "
				      "the file, or remove it to lift them all",
				      dir, line);
	return 0;
}

int ww_warden_commands_file(const struct ww_warden_commands *s, struct ww_buf *out)
{
	struct ww_jsonw w;
	int r = 0;

	for (unsigned i = 0; i < s->count && r == 0; i++) {
		ww_jsonw_init(&w, out);
		ww_jsonw_object(&w, NULL);
		write_command(&s->at[i], &w);
		ww_jsonw_end_object(&w);
		r = ww_jsonw_ok(&w) ? ww_buf_add(out, "\n", 1) : w.err;
	}
	return r;
}

int ww_warden_commands_save(const struct ww_warden_commands *s, const char *dir)
{
	WW_AUTO_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	WW_AUTO_BUF struct ww_buf b = {0};
	int r;

	if (fd < 0)
		return -errno;
	ww_buf_init(&b, FILE_MAX);
	r = ww_warden_commands_file(s, &b);
	return r < 0 ? r : ww_durable_replace(fd, FILE_NAME, 0600, ww_buf_slice(&b));
}

void ww_warden_commands_write(const struct ww_warden_commands *s, const struct ww_policy *p,
			      struct ww_jsonw *w)
{
	bool by_program;

	ww_jsonw_array(w, "denied");
	for (unsigned i = 0; i < s->count; i++) {
		const struct ww_warden_command *c = &s->at[i];

		ww_jsonw_object(w, NULL);
		write_command(c, w);
		ww_jsonw_bool(w, "inForce",
			      !c->agent[0] ||
				      ww_guard_rules_agent(p, ww_slice_str(c->agent), &by_program));
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
}
