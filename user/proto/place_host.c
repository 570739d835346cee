/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forms of names that have a region in them, as their operators document them. A name of another
 * form says nothing here, however much it looks like a place: that of an Azure resource
 * (<name>.openai.azure.com) is free to choose.
 */
#include "base/own.h"
#include "proto/place_claim.h"

static size_t letters(struct ww_slice s, size_t at)
{
	size_t from = at;

	while (at < s.n && s.p[at] >= 'a' && s.p[at] <= 'z')
		at++;
	return at - from;
}

static size_t digits(struct ww_slice s, size_t at)
{
	size_t from = at;

	while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9')
		at++;
	return at - from;
}

/* "eu-west-1", "us-gov-east-1": two letters, words, a number. */
static bool aws(struct ww_slice s)
{
	size_t at = 2, words = 0, n;

	if (letters(s, 0) != 2)
		return false;
	while (at < s.n && s.p[at] == '-' && (n = letters(s, at + 1)) > 0) {
		at += 1 + n;
		words++;
	}
	if (words == 0 || at >= s.n || s.p[at] != '-')
		return false;
	n = digits(s, at + 1);
	return n > 0 && n <= 2 && at + 1 + n == s.n;
}

/* "us", "eu" */
static bool area(struct ww_slice s)
{
	return s.n == 2 && letters(s, 0) == 2;
}

/* "europe-west4", and "eu" */
static bool google(struct ww_slice s)
{
	size_t first = letters(s, 0), second, n;

	if (area(s) || ww_slice_eq_str(s, "global"))
		return true;
	if (first < 2 || first >= s.n || s.p[first] != '-')
		return false;
	second = letters(s, first + 1);
	n = digits(s, first + 1 + second);
	return second > 0 && n > 0 && n <= 2 && first + 1 + second + n == s.n;
}

/* "westeurope", "eastus2" */
static bool azure(struct ww_slice s)
{
	size_t n = letters(s, 0);

	return n >= 5 && n + digits(s, n) == s.n && s.n <= n + 1;
}

/* What a host name ends with; the word is the label before it. */
static const struct {
	const char *end;
	bool (*is)(struct ww_slice word);
	bool alone; /* nothing stands before the word */
} forms[] = {
	{".vpce.amazonaws.com", aws, false},
	{".amazonaws.com", aws, false},
	{".amazonaws.com.cn", aws, false},
	{".api.aws", aws, false},
	{"-aiplatform.googleapis.com", google, true},
	{".rep.googleapis.com", google, false},
	{".api.openai.com", area, true},
	{".api.x.ai", aws, true},
	{".api.cognitive.microsoft.com", azure, true},
	{".inference.ml.azure.com", azure, false},
	{".models.ai.azure.com", azure, false},
};

#define HOST_MAX 256

struct ww_slice ww_place_of_host(struct ww_slice host)
{
	struct ww_slice name, word;
	uint8_t lower[HOST_MAX];
	size_t from;

	host = ww_slice_sub(host, 0, ww_slice_find(host, 0, ':'));
	if (host.n > 0 && host.p[host.n - 1] == '.')
		host.n--;
	if (host.n > sizeof(lower))
		return WW_SLICE_NULL;
	for (size_t i = 0; i < host.n; i++)
		lower[i] = host.p[i] >= 'A' && host.p[i] <= 'Z' ? host.p[i] | 0x20 : host.p[i];
	name = ww_slice(lower, host.n);
	for (size_t i = 0; i < WW_ARRAY_SIZE(forms); i++) {
		struct ww_slice end = ww_slice_str(forms[i].end);

		if (name.n <= end.n || !ww_slice_ends(name, end))
			continue;
		word = ww_slice_sub(name, 0, name.n - end.n);
		for (from = word.n; from > 0 && word.p[from - 1] != '.'; from--)
			;
		if (forms[i].alone && from > 0)
			continue;
		word = ww_slice_sub(word, from, word.n);
		if (forms[i].is(word))
			return ww_slice_sub(host, from, word.n);
	}
	return WW_SLICE_NULL;
}

/* The path segment that begins at `at`. */
static struct ww_slice segment(struct ww_slice path, size_t at)
{
	return ww_slice_sub(path, at, ww_slice_find(path, at, '/') - at);
}

struct ww_slice ww_place_of_path(struct ww_slice path)
{
	struct ww_slice s;

	path = ww_slice_sub(path, 0, ww_slice_find(path, 0, '?'));
	for (size_t at = ww_slice_find(path, 0, '/') + 1; at < path.n; at += s.n + 1) {
		size_t next = at, n;

		s = segment(path, at);
		if (!ww_slice_eq_str(s, "projects"))
			continue;
		next += s.n + 1;
		n = segment(path, next).n;
		next += n + 1;
		if (n == 0 || !ww_slice_eq_str(segment(path, next), "locations"))
			return WW_SLICE_NULL;
		next += sizeof("locations");
		s = segment(path, next);
		return google(s) && next + s.n < path.n ? s : WW_SLICE_NULL;
	}
	return WW_SLICE_NULL;
}

struct ww_slice ww_place_of_model(struct ww_slice model)
{
	static const char *const geographies[] = {"us", "us-gov", "eu", "apac",  "jp",
						  "au", "ca",     "sa", "global"};
	size_t at = 0, dot;
	struct ww_slice word;

	/* Of an ARN what is behind the kind. */
	for (size_t i = 0; i < model.n; i++)
		if (model.p[i] == '/')
			at = i + 1;
	dot = ww_slice_find(model, at, '.');
	/* The vendor and its model follow. */
	if (ww_slice_find(model, dot + 1, '.') >= model.n)
		return WW_SLICE_NULL;
	word = ww_slice_sub(model, at, dot - at);
	for (size_t i = 0; i < WW_ARRAY_SIZE(geographies); i++)
		if (ww_slice_eq_str(word, geographies[i]))
			return word;
	return WW_SLICE_NULL;
}
