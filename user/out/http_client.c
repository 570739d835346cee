/* SPDX-License-Identifier: Apache-2.0 */
#include "out/http_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>

#define CONNECT_MS 3000L

struct exchange {
	struct exchange *next;
	struct ww_http *http;
	CURL *easy;
	struct curl_slist *headers;
	struct ww_buf sent, got;
	char error[CURL_ERROR_SIZE];
	ww_http_fn fn;
	void *ctx;
};

struct ww_http {
	CURLM *multi;
	char *ca_file;
	struct exchange *exchanges;
};

int ww_http_open(const char *ca_file, struct ww_http **ret_http)
{
	WW_AUTO(ww_http_close_auto) struct ww_http *h = NULL;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return -EIO;
	h = calloc(1, sizeof(*h));
	if (!h) {
		curl_global_cleanup();
		return -ENOMEM;
	}
	h->multi = curl_multi_init();
	if (ca_file)
		h->ca_file = strdup(ca_file);
	if (!h->multi || (ca_file && !h->ca_file))
		return -ENOMEM;
	*ret_http = WW_TAKE(h);
	return 0;
}

static void exchange_free(struct exchange *x)
{
	struct exchange **at = &x->http->exchanges;

	while (*at && *at != x)
		at = &(*at)->next;
	if (*at)
		*at = x->next;
	if (x->easy) {
		curl_multi_remove_handle(x->http->multi, x->easy);
		curl_easy_cleanup(x->easy);
	}
	curl_slist_free_all(x->headers);
	ww_buf_done(&x->sent);
	ww_buf_done(&x->got);
	free(x);
}

void ww_http_close(struct ww_http *h)
{
	if (!h)
		return;
	while (h->exchanges)
		exchange_free(h->exchanges);
	if (h->multi)
		curl_multi_cleanup(h->multi);
	free(h->ca_file);
	free(h);
	curl_global_cleanup();
}

/* A short count ends the transfer. */
static size_t take_body(char *p, size_t size, size_t n, void *ctx)
{
	struct exchange *x = ctx;

	return ww_buf_add(&x->got, p, size * n) == 0 ? size * n : 0;
}

static int set_options(struct exchange *x, const char *url, unsigned timeout_ms)
{
	CURL *e = x->easy;
	bool ok = curl_easy_setopt(e, CURLOPT_URL, url) == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_POST, 1L) == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_POSTFIELDS, (char *)x->sent.p) == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)x->sent.n) == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_HTTPHEADER, x->headers) == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_USERAGENT, "wirewitness/" WW_VERSION) == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_WRITEDATA, x) == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_ERRORBUFFER, x->error) == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_PRIVATE, x) == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
		  /* A stop does not wait for a name server. */
		  curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) == CURLE_OK &&
		  curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)timeout_ms) == CURLE_OK;

	if (ok && x->http->ca_file)
		ok = curl_easy_setopt(e, CURLOPT_CAINFO, x->http->ca_file) == CURLE_OK;
	return ok ? 0 : -ENOMEM;
}

/* Never "Expect": one more round trip for a few hundred bytes. */
static int make_headers(struct exchange *x, const char *type)
{
	char line[128];
	struct curl_slist *longer;

	snprintf(line, sizeof(line), "Content-Type: %s", type);
	x->headers = curl_slist_append(NULL, line);
	longer = x->headers ? curl_slist_append(x->headers, "Expect:") : NULL;
	return longer ? 0 : -ENOMEM;
}

int ww_http_post(struct ww_http *h, const char *url, const char *type, struct ww_slice body,
		 unsigned timeout_ms, ww_http_fn fn, void *ctx)
{
	struct exchange *x = calloc(1, sizeof(*x));
	int r;

	if (!x)
		return -ENOMEM;
	x->http = h;
	x->fn = fn;
	x->ctx = ctx;
	ww_buf_init(&x->sent, body.n + 1);
	ww_buf_init(&x->got, WW_HTTP_ANSWER_MAX);
	x->easy = curl_easy_init();
	r = x->easy ? ww_buf_add(&x->sent, body.p, body.n) : -ENOMEM;
	if (r == 0)
		r = make_headers(x, type);
	if (r == 0)
		r = set_options(x, url, timeout_ms);
	if (r == 0 && curl_multi_add_handle(h->multi, x->easy) != CURLM_OK)
		r = -EIO;
	if (r < 0) {
		exchange_free(x);
		return r;
	}
	x->next = h->exchanges;
	h->exchanges = x;
	return 0;
}

static void tell(struct exchange *x, CURLcode code)
{
	struct ww_http_answer a = {.body = ww_buf_slice(&x->got)};
	const char *type = NULL;
	long status = 0;

	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	if (curl_easy_getinfo(x->easy, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type)
		snprintf(a.type, sizeof(a.type), "%s", type);
	if (code == CURLE_OK)
		a.status = status > 0 && status < 1000 ? (unsigned)status : 0;
	else if (code == CURLE_WRITE_ERROR)
		snprintf(a.why, sizeof(a.why), "the answer is too long");
	else
		snprintf(a.why, sizeof(a.why), "%s",
			 x->error[0] ? x->error : curl_easy_strerror(code));
	if (code == CURLE_OK && a.status == 0)
		snprintf(a.why, sizeof(a.why), "the answer has no status");
	x->fn(x->ctx, &a);
}

void ww_http_run(struct ww_http *h, int fd, unsigned timeout_ms)
{
	struct curl_waitfd extra = {.fd = fd, .events = CURL_WAIT_POLLIN};
	struct CURLMsg *m;
	int n;

	(void)curl_multi_perform(h->multi, &n); /* what is wrong shows in its messages */
	(void)curl_multi_poll(h->multi, &extra, fd >= 0, (int)timeout_ms, NULL);
	(void)curl_multi_perform(h->multi, &n);
	while ((m = curl_multi_info_read(h->multi, &n))) {
		struct exchange *x = NULL;

		if (m->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&x) != CURLE_OK)
			continue;
		tell(x, m->data.result);
		exchange_free(x);
	}
}

void ww_http_wake(struct ww_http *h)
{
	(void)curl_multi_wakeup(h->multi); /* one byte in a pipe that is full is as good */
}
