/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/host_glob.h"

#define NAME_MAX_BYTES 253 /* RFC 1035 section 2.3.4 */

static bool plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

bool ww_host_glob_ok(struct ww_slice glob)
{
	bool star = false;
	size_t label = 0;

	if (glob.n == 0 || glob.n > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < glob.n; i++) {
		uint8_t c = glob.p[i];

		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
			star = false;
			continue;
		}
		if ((c != '*' && !plain(c)) || (c == '*' && i && glob.p[i - 1] == '*'))
			return false;
		star |= c == '*';
		label++;
	}
	return label > 0 && !star;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* '*' stands for bytes of one label, of all of it for at least one. */
static bool matches(struct ww_slice glob, struct ww_slice host)
{
	size_t g = 0, h = 0, star = SIZE_MAX, from = 0;

	while (h < host.n) {
		if (g < glob.n && glob.p[g] == '*') {
			star = g++;
			from = h;
		} else if (g < glob.n && lower(glob.p[g]) == lower(host.p[h])) {
			g++;
			h++;
		} else if (star != SIZE_MAX && host.p[from] != '.') {
			g = star + 1;
			h = ++from;
		} else {
			return false;
		}
	}
	while (g < glob.n && glob.p[g] == '*')
		g++;
	return g == glob.n;
}

static bool labels_there(struct ww_slice host)
{
	for (size_t i = 0; i < host.n; i++) {
		if (host.p[i] == '.' && (i == 0 || i + 1 == host.n || host.p[i + 1] == '.'))
			return false;
	}
	return host.n > 0;
}

bool ww_host_glob(const char *glob, struct ww_slice host)
{
	struct ww_slice g = ww_slice_str(glob);

	if (!labels_there(host))
		return false;
	if (!ww_slice_starts(g, WW_SLICE_LIT("*.")))
		return matches(g, host);
	g = ww_slice_sub(g, 2, SIZE_MAX);
	for (size_t dot = ww_slice_find(host, 0, '.'); dot < host.n;
	     dot = ww_slice_find(host, dot + 1, '.')) {
		if (matches(g, ww_slice_sub(host, dot + 1, SIZE_MAX)))
			return true;
	}
	return false;
}

unsigned ww_host_glob_exact(const char *glob)
{
	unsigned n = 0;

	for (; *glob; glob++)
		n += *glob != '*';
	return n;
}

struct ww_slice ww_host_of(const char *name)
{
	struct ww_slice s = ww_slice_str(name);
	size_t colon = ww_slice_find(s, 0, ':');

	if (s.n && s.p[0] == '[')
		s = ww_slice_sub(s, 1, ww_slice_find(s, 0, ']') - 1);
	else if (colon < s.n && ww_slice_find(s, colon + 1, ':') == s.n)
		s = ww_slice_sub(s, 0, colon);
	if (s.n && s.p[s.n - 1] == '.')
		s.n--;
	return s;
}
