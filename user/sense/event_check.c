/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/event_check.h"

#include <errno.h>
#include <stdbool.h>

/* The fixed part of each kind; 0: kind not known here. */
static size_t fixed_size(uint16_t kind)
{
	switch (kind) {
	case WW_EVENT_PROC_FORK:
		return sizeof(struct ww_event_fork);
	case WW_EVENT_PROC_EXEC:
	case WW_EVENT_PROC_INFO:
		return sizeof(struct ww_event_exec);
	case WW_EVENT_PROC_EXIT:
		return sizeof(struct ww_event_exit);
	case WW_EVENT_FLOW_OPEN:
	case WW_EVENT_FLOW_OWNER:
		return sizeof(struct ww_event_flow);
	case WW_EVENT_FLOW_STATE:
	case WW_EVENT_FLOW_CLOSE:
	case WW_EVENT_FLOW_STAT:
		return sizeof(struct ww_event_counters);
	case WW_EVENT_TLS_HELLO:
		return offsetof(struct ww_event_hello, bytes);
	case WW_EVENT_TLS_RECORD:
		return sizeof(struct ww_event_record);
	case WW_EVENT_BIND_PREFIX:
		return sizeof(struct ww_event_bind);
	case WW_EVENT_UNIX_PEER:
		return sizeof(struct ww_event_unix);
	case WW_EVENT_DATA:
		return sizeof(struct ww_event_data);
	case WW_EVENT_SESSION_END:
		return sizeof(struct ww_event_session);
	case WW_EVENT_STDIO:
		return sizeof(struct ww_event_stdio);
	case WW_EVENT_STDIO_DATA:
		return sizeof(struct ww_event_stdio_data);
	case WW_EVENT_PACKET:
		return sizeof(struct ww_event_packet);
	case WW_EVENT_CLOCK:
		return sizeof(struct ww_event_clock);
	case WW_EVENT_LOSS:
	case WW_EVENT_HEARTBEAT:
		return sizeof(struct ww_event_loss);
	case WW_EVENT_SCOPE:
		return sizeof(struct ww_event_scope);
	case WW_EVENT_COVERAGE:
		return sizeof(struct ww_event_coverage);
	case WW_EVENT_CLAIM:
		return sizeof(struct ww_event_claim);
	case WW_EVENT_FILE:
		return sizeof(struct ww_event_file);
	case WW_EVENT_CHANGE:
		return sizeof(struct ww_event_change);
	case WW_EVENT_GUARD:
		return sizeof(struct ww_event_guard);
	case WW_EVENT_GUARD_LIST:
		return sizeof(struct ww_event_guard_list);
	default:
		return 0;
	}
}

/* A piece of a call's bytes, with room for `body` behind its head. */
static bool chunk_fits(uint32_t captured, size_t body, uint8_t dir, uint32_t call_at,
		       uint32_t call_bytes)
{
	return captured <= body && captured <= WW_CHUNK_BYTES_MAX && dir <= WW_DIR_IN &&
	       call_at <= call_bytes && captured <= call_bytes - call_at;
}

static bool inner_fits(const struct ww_event *ev)
{
	switch (ev->kind) {
	case WW_EVENT_DATA: {
		const struct ww_event_data *d = (const struct ww_event_data *)ev;

		return chunk_fits(d->captured, ev->size - sizeof(*d), d->dir, d->call_at,
				  d->call_bytes);
	}
	case WW_EVENT_STDIO_DATA: {
		const struct ww_event_stdio_data *d = (const struct ww_event_stdio_data *)ev;

		return chunk_fits(d->captured, ev->size - sizeof(*d), d->dir, d->call_at,
				  d->call_bytes);
	}
	case WW_EVENT_PACKET: {
		const struct ww_event_packet *p = (const struct ww_event_packet *)ev;

		return p->captured <= ev->size - sizeof(*p) && p->captured <= WW_CHUNK_BYTES_MAX &&
		       p->captured <= p->payload_bytes && p->dir <= WW_DIR_IN;
	}
	case WW_EVENT_STDIO:
		return ((const struct ww_event_stdio *)ev)->text_bytes <=
		       sizeof(((struct ww_event_stdio *)0)->text);
	case WW_EVENT_CLAIM: {
		const struct ww_event_claim *c = (const struct ww_event_claim *)ev;

		return c->bytes <= ev->size - sizeof(*c);
	}
	case WW_EVENT_TLS_HELLO: {
		const struct ww_event_hello *e = (const struct ww_event_hello *)ev;

		return e->captured <= ev->size - offsetof(struct ww_event_hello, bytes) &&
		       e->captured <= WW_HELLO_BYTES_MAX && e->dir <= WW_DIR_IN;
	}
	case WW_EVENT_TLS_RECORD:
		return ((const struct ww_event_record *)ev)->dir <= WW_DIR_IN;
	case WW_EVENT_PROC_FORK:
	case WW_EVENT_PROC_EXIT:
	case WW_EVENT_PROC_LEFT:
		return ev->actor.pid != 0;
	case WW_EVENT_PROC_EXEC:
	case WW_EVENT_PROC_INFO:
		return ev->actor.pid != 0 &&
		       ((const struct ww_event_exec *)ev)->path_bytes <= WW_PATH_BYTES_MAX;
	case WW_EVENT_SCOPE:
		return ((const struct ww_event_scope *)ev)->path_bytes <= WW_PATH_BYTES_MAX;
	case WW_EVENT_COVERAGE:
		return ((const struct ww_event_coverage *)ev)->path_bytes <= WW_PATH_BYTES_MAX;
	case WW_EVENT_FILE: {
		const struct ww_event_file *f = (const struct ww_event_file *)ev;

		return f->path_bytes <= WW_PATH_BYTES_MAX &&
		       f->build_id_bytes <= sizeof(f->build_id);
	}
	case WW_EVENT_CHANGE:
		return ((const struct ww_event_change *)ev)->path_bytes <= WW_PATH_BYTES_MAX;
	case WW_EVENT_GUARD: {
		const struct ww_event_guard *g = (const struct ww_event_guard *)ev;

		return g->hook < WW_GUARD_HOOK_MAX && g->mode < WW_GUARD_MODE_MAX &&
		       g->why < WW_GUARD_WHY_MAX && g->agent_bytes <= sizeof(g->text) &&
		       g->text_bytes <= sizeof(g->text) - g->agent_bytes &&
		       (g->prefix_family != 2 || g->prefix_bits <= 32) && g->prefix_bits <= 128;
	}
	case WW_EVENT_GUARD_LIST: {
		const struct ww_event_guard_list *g = (const struct ww_event_guard_list *)ev;

		return g->mode < WW_GUARD_MODE_MAX && g->text_bytes <= sizeof(g->text);
	}
	case WW_EVENT_UNIX_PEER:
		return ((const struct ww_event_unix *)ev)->path_bytes <=
		       sizeof(((struct ww_event_unix *)0)->path);
	default:
		return true;
	}
}

int ww_event_check(const struct ww_event *ev, size_t avail)
{
	size_t fixed;

	if (avail < sizeof(*ev) || ev->version != WW_EVENT_VERSION || ev->size < sizeof(*ev) ||
	    ev->size > avail || ev->size > WW_TAPE_EVENT_BYTES_MAX)
		return -EBADMSG;
	fixed = fixed_size(ev->kind);
	if (ev->size < fixed || !inner_fits(ev))
		return -EBADMSG;
	return 0;
}
