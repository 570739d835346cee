/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/report_leaves.h"

#include <pthread.h>

#include "wirewitness/limits.h"

#define THREADS_MAX 4u
/* Below that, starting a thread is not worth it. */
#define RECORDS_MIN 256u

struct part {
	const struct ww_statement_list *list;
	struct ww_report_leaves *leaves;
	size_t from, to;
	pthread_t thread;
	bool started;
};

static void *hash_part(void *arg)
{
	WW_AUTO(ww_buf_wipe) struct ww_buf scratch = {0};
	const struct part *p = arg;

	ww_buf_init(&scratch, WW_LEAF_SALT_LEN + WW_RECORD_BYTES_MAX);
	for (size_t i = p->from; i < p->to; i++)
		p->leaves->there[i] = ww_statement_entry_leaf(&p->list->entries[i], &scratch,
							      &p->leaves->hashes[i]) == 0;
	return NULL;
}

void ww_report_leaves_make(const struct ww_statement_list *list, struct ww_report_leaves *ret)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t threads = processors < THREADS_MAX ? (size_t)processors : THREADS_MAX;
	struct ww_report_leaves l = {0};
	struct part parts[THREADS_MAX];

	*ret = l;
	if (processors < 2 || list->n < RECORDS_MIN)
		return;
	l = (struct ww_report_leaves){.hashes = calloc(list->n, sizeof(*l.hashes)),
				      .there = calloc(list->n, sizeof(*l.there)),
				      .n = list->n};
	if (!l.hashes || !l.there) {
		ww_report_leaves_done(&l);
		return;
	}
	for (size_t i = 0; i < threads; i++) {
		struct part *p = &parts[i];

		*p = (struct part){.list = list,
				   .leaves = &l,
				   .from = list->n * i / threads,
				   .to = list->n * (i + 1) / threads};
		p->started = i > 0 && pthread_create(&p->thread, NULL, hash_part, p) == 0;
	}
	for (size_t i = 0; i < threads; i++) {
		if (!parts[i].started)
			hash_part(&parts[i]);
	}
	for (size_t i = 0; i < threads; i++) {
		if (parts[i].started)
			pthread_join(parts[i].thread, NULL);
	}
	*ret = l;
}

void ww_report_leaves_done(struct ww_report_leaves *l)
{
	free(l->hashes);
	free(l->there);
	*l = (struct ww_report_leaves){0};
}
