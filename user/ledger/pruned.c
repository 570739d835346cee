/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/pruned.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "ledger/durable.h"
#include "ledger/payload.h"

int ww_pruned_add(struct ww_pruned *p, uint64_t index, bool open)
{
	struct ww_pruned_line *more;

	if (p->n == WW_PRUNED_MAX)
		return -E2BIG;
	if (p->n % 64 == 0) {
		more = reallocarray(p->lines, p->n + 64, sizeof(*more));
		if (!more)
			return -ENOMEM;
		p->lines = more;
	}
	p->lines[p->n++] = (struct ww_pruned_line){index, open};
	return 0;
}

void ww_pruned_done(struct ww_pruned *p)
{
	free(p->lines);
	*p = (struct ww_pruned){0};
}

static int take_line(struct ww_pruned *p, struct ww_slice line)
{
	size_t space = ww_slice_find(line, 0, ' ');
	struct ww_slice number = ww_slice_sub(line, 0, space);
	struct ww_slice word = ww_slice_sub(line, space + 1, line.n);
	bool open = ww_slice_eq_str(word, "open");
	uint64_t index;

	if (ww_slice_u64(number, &index) < 0 || (number.n > 1 && number.p[0] == '0') ||
	    !(open || ww_slice_eq_str(word, "done")) ||
	    (p->n > 0 && (index <= p->lines[p->n - 1].index || p->lines[p->n - 1].open)))
		return -EINVAL;
	return ww_pruned_add(p, index, open);
}

int ww_pruned_parse(struct ww_slice text, struct ww_pruned *ret)
{
	WW_AUTO(ww_pruned_done) struct ww_pruned p = {0};
	int r;

	while (text.n > 0) {
		size_t end = ww_slice_find(text, 0, '\n');

		if (end == text.n)
			return -EINVAL;
		r = take_line(&p, ww_slice_sub(text, 0, end));
		if (r < 0)
			return r == -E2BIG ? -EINVAL : r;
		text = ww_slice_sub(text, end + 1, text.n);
	}
	*ret = p;
	p = (struct ww_pruned){0};
	return 0;
}

int ww_pruned_read(int ledger_dir, struct ww_pruned *ret)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	int r;

	ww_buf_init(&b, WW_PRUNED_BYTES_MAX);
	r = ww_durable_read(ledger_dir, "pruned", &b);
	return r < 0 && r != -ENOENT ? r : ww_pruned_parse(ww_buf_slice(&b), ret);
}

int ww_pruned_write(int ledger_dir, const struct ww_pruned *p)
{
	WW_AUTO_BUF struct ww_buf b = {0};
	char line[32];
	int r = 0;

	ww_buf_init(&b, WW_PRUNED_BYTES_MAX);
	for (size_t i = 0; i < p->n && r == 0; i++) {
		int n = snprintf(line, sizeof(line), "%" PRIu64 " %s\n", p->lines[i].index,
				 p->lines[i].open ? "open" : "done");

		r = ww_buf_add(&b, line, (size_t)n);
	}
	return r < 0 ? r : ww_durable_replace(ledger_dir, "pruned", 0600, ww_buf_slice(&b));
}

/* --- what they say -------------------------------------------------------------------------------
 */

void ww_withheld_done(struct ww_withheld_list *l)
{
	free(l->all);
	*l = (struct ww_withheld_list){0};
}

int ww_withheld_read(int ledger_dir, uint64_t size, struct ww_withheld_list *ret)
{
	WW_AUTO(ww_payload_reader_free_auto) struct ww_payload_reader *reader = NULL;
	WW_AUTO(ww_withheld_done) struct ww_withheld_list l = {0};
	WW_AUTO(ww_pruned_done) struct ww_pruned list = {0};
	int r = ww_pruned_read(ledger_dir, &list);

	if (r == 0 && list.n > 0) {
		l.all = calloc(list.n, sizeof(*l.all));
		r = l.all ? ww_payload_reader_new(ledger_dir, &reader) : -ENOMEM;
	}
	for (size_t i = 0; i < list.n && r == 0; i++) {
		struct ww_payload rec;

		if (list.lines[i].index >= size) /* not committed: nothing was taken for it */
			continue;
		r = ww_payload_reader_get(reader, list.lines[i].index, &rec);
		if (r == 0 && !rec.erased && ww_slice_eq_str(rec.kind, "prune") &&
		    ww_prune_record_parse(rec.json, &l.all[l.n].prune) == 0)
			l.all[l.n++].by = list.lines[i].index;
		else if (r == 0 && !list.lines[i].open)
			r = -EUCLEAN;
	}
	if (r < 0)
		return r == -ENODATA ? -EUCLEAN : r;
	*ret = l;
	l = (struct ww_withheld_list){0};
	return 0;
}

const struct ww_withheld *ww_withheld_find(const struct ww_withheld_list *l, uint64_t index,
					   struct ww_slice kind)
{
	for (size_t i = 0; i < l->n; i++)
		if (ww_prune_record_names(&l->all[i].prune, index, kind))
			return &l->all[i];
	return NULL;
}
