/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/local.h"

#include <stdlib.h>
#include <string.h>

/* Of the name of a program that was called. */
#define CALLED_MAX 15u

void ww_local_done(struct ww_local *l)
{
	for (unsigned i = 0; i < l->program_count; i++)
		free(l->programs[i]);
	for (unsigned i = 0; i < l->file_count; i++)
		free(l->files[i]);
	free(l->programs);
	free(l->files);
}

/* --- templates ----------------------------------------------------------------------------------
 */

/* Braces come in pairs, are not nested, name something and do not touch: "{a}{b}" would have no one
 * meaning. */
static bool braces_good(struct ww_slice s)
{
	size_t at = 0;

	while ((at = ww_slice_find(s, at, '{')) < s.n) {
		size_t end = ww_slice_find(s, at, '}');

		if (end == s.n || end == at + 1 || ww_slice_find(s, at + 1, '{') < end ||
		    (end + 1 < s.n && s.p[end + 1] == '{'))
			return false;
		at = end + 1;
	}
	for (size_t i = 0, open = 0; i < s.n; i++) {
		if (s.p[i] == '}' && open-- == 0)
			return false;
		open += s.p[i] == '{';
	}
	return true;
}

static bool segment_good(struct ww_slice s, bool last, bool rest)
{
	if (ww_slice_eq_str(s, "**"))
		return last && rest;
	if (s.n == 0 || ww_slice_eq_str(s, ".") || ww_slice_eq_str(s, ".."))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < ' ' || s.p[i] == 127 || s.p[i] == '*')
			return false;
	}
	return braces_good(s);
}

static bool path_good(struct ww_slice s, bool rest)
{
	if (s.n == 0 || s.p[0] != '/' || s.n > WW_PATH_BYTES_MAX)
		return false;
	for (size_t at = 0; at < s.n;) {
		size_t end = ww_slice_find(s, at + 1, '/');

		if (!segment_good(ww_slice_sub(s, at + 1, end - at - 1), end == s.n, rest))
			return false;
		at = end;
	}
	return true;
}

const char *ww_local_file_template(struct ww_slice s)
{
	return path_good(s, true)
		       ? NULL
		       : "an absolute path such as /srv/reports/{name}.pdf or /srv/out/**";
}

const char *ww_local_program_template(struct ww_slice s)
{
	bool good =
		ww_slice_find(s, 0, '/') == s.n ? segment_good(s, true, false) : path_good(s, true);

	return good ? NULL : "a program such as /usr/bin/pg_dump or pg_dump";
}

/* --- matching -----------------------------------------------------------------------------------
 */

bool ww_local_segment_open(struct ww_slice template)
{
	return ww_slice_find(template, 0, '{') < template.n;
}

/* Whether name is as `template` from here on; backs up to the last brace only, as all matchers of
 * one wildcard do, so the time is bounded by the product of both. */
static bool match_from(struct ww_slice template, struct ww_slice name)
{
	size_t t = 0, n = 0, back_t = 0, back_n = 0;
	bool back = false;

	while (n < name.n) {
		if (t < template.n && template.p[t] == '{') {
			t = ww_slice_find(template, t, '}') + 1;
			back = true;
			back_t = t;
			back_n = ++n; /* one byte at least */
		} else if (t < template.n && template.p[t] == name.p[n]) {
			t++;
			n++;
		} else if (back) {
			t = back_t;
			n = ++back_n;
		} else {
			return false;
		}
	}
	return t == template.n;
}

bool ww_local_segment(struct ww_slice template, struct ww_slice name)
{
	if (name.n == 0)
		return false;
	if (name.p[0] == '.' && (template.n == 0 || template.p[0] != '.'))
		return false;
	return match_from(template, name);
}

static bool any_hidden(struct ww_slice path)
{
	for (size_t i = 0; i + 1 < path.n; i++) {
		if (path.p[i] == '/' && path.p[i + 1] == '.')
			return true;
	}
	return false;
}

bool ww_local_path(struct ww_slice template, struct ww_slice path)
{
	size_t t = 0, p = 0;

	while (t < template.n && p < path.n) {
		size_t t_end = ww_slice_find(template, t + 1, '/');
		size_t p_end = ww_slice_find(path, p + 1, '/');
		struct ww_slice want = ww_slice_sub(template, t + 1, t_end - t - 1);

		if (path.p[p] != '/')
			return false;
		if (ww_slice_eq_str(want, "**"))
			return p + 1 < path.n && !any_hidden(ww_slice_sub(path, p, path.n));
		if (!ww_local_segment(want, ww_slice_sub(path, p + 1, p_end - p - 1)))
			return false;
		t = t_end;
		p = p_end;
	}
	return t == template.n && p == path.n;
}

const char *ww_local_file(const struct ww_local *l, struct ww_slice path)
{
	for (unsigned i = 0; i < l->file_count; i++) {
		if (ww_local_path(ww_slice_str(l->files[i]), path))
			return l->files[i];
	}
	return NULL;
}

static struct ww_slice last_segment(struct ww_slice path)
{
	size_t at = path.n;

	while (at > 0 && path.p[at - 1] != '/')
		at--;
	return ww_slice_sub(path, at, path.n - at);
}

const char *ww_local_program(const struct ww_local *l, struct ww_slice path)
{
	for (unsigned i = 0; i < l->program_count; i++) {
		struct ww_slice want = ww_slice_str(l->programs[i]);
		bool whole = ww_slice_find(want, 0, '/') < want.n;

		if (whole ? ww_local_path(want, path) : ww_local_segment(want, last_segment(path)))
			return l->programs[i];
	}
	return NULL;
}

static struct ww_slice cut(struct ww_slice name)
{
	return ww_slice_sub(name, 0, name.n < CALLED_MAX ? name.n : CALLED_MAX);
}

/* "ld-linux-x86-64.so.2", "ld-musl-x86_64.so.1", "ld.so" */
static bool is_loader(struct ww_slice name)
{
	if (name.n < 3 || memcmp(name.p, "ld", 2) != 0)
		return false;
	for (size_t i = 2; i + 3 <= name.n; i++) {
		if (memcmp(name.p + i, ".so", 3) == 0)
			return true;
	}
	return false;
}

/* By a descriptor: then that is all of the name. */
static bool is_number(struct ww_slice name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] < '0' || name.p[i] > '9')
			return false;
	}
	return name.n > 0;
}

/* By another name than its path's. */
static bool called_otherwise(struct ww_slice path, struct ww_slice called)
{
	return called.n && !ww_slice_eq(cut(last_segment(path)), called);
}

static bool may_be_any(struct ww_slice path, struct ww_slice called)
{
	return path.n == 0 || is_loader(last_segment(path)) ||
	       (is_number(called) && called_otherwise(path, called));
}

static bool called_so(struct ww_slice declared, struct ww_slice called)
{
	return called.n && ww_slice_eq(cut(last_segment(declared)), called);
}

bool ww_local_may_be_program(struct ww_slice declared, struct ww_slice path, struct ww_slice called)
{
	return may_be_any(path, called) || called_so(declared, called);
}

bool ww_local_program_may_be(const struct ww_local *l, struct ww_slice path, struct ww_slice called)
{
	bool other = called_otherwise(path, called);

	if (l->program_count && may_be_any(path, called))
		return true;
	for (unsigned i = 0; i < l->program_count; i++) {
		struct ww_slice want = last_segment(ww_slice_str(l->programs[i]));

		if (ww_slice_eq_str(want, "**") || ww_local_segment_open(want)) {
			if (other && (called.n >= CALLED_MAX || ww_slice_eq_str(want, "**") ||
				      ww_local_segment(want, called)))
				return true;
		} else if (called_so(want, called)) {
			return true;
		}
	}
	return false;
}

uint32_t ww_local_bits(const struct ww_local *l)
{
	uint32_t bits = 0;

	if (l->changes & WW_FILE_WRITTEN)
		bits |= WW_CHANGE_MODIFIED | WW_CHANGE_CLOSED | WW_CHANGE_CREATED |
			WW_CHANGE_MOVED_HERE;
	if (l->changes & WW_FILE_RENAMED)
		bits |= WW_CHANGE_MOVED_AWAY | WW_CHANGE_MOVED_HERE;
	if (l->changes & WW_FILE_REMOVED)
		bits |= WW_CHANGE_REMOVED;
	return bits;
}
