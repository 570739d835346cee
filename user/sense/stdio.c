/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/slice.h"
#include "sense/elf.h"
#include "sense/maps.h"
#include "sense/stdio_agent.h"

/* A loader maps the C library within milliseconds; a slow disk takes longer. */
#define LIBRARY_WAIT_NS 2000000000ull
#define LIBRARIES_MAX   16
/* Of a channel on which nothing has told yet what is spoken. */
#define UNDECIDED_BYTES_MAX 65536u
#define NOT_KNOWN           UINT64_MAX /* an offset */
/* Marks the cookies of channels: no socket has so large a one. */
#define CHANNEL_BIT (1ull << 63)

struct library {
	uint64_t dev, inode;
	struct timespec changed;
	int answer; /* of the plan */
	struct ww_stdio_plan plan;
	char path[WW_PATH_BYTES_MAX]; /* as the process saw it */
};

struct process {
	struct ww_event_stdio ev;
	uint64_t library_dev, library_inode; /* where the probes are */
	int link;                            /* -1: none yet */
	bool decided; /* it speaks the protocol, as far as its first line tells */
	uint64_t undecided_bytes;
	uint64_t next;     /* offset at which a line of the agent is known to begin */
	bool told;         /* that it is read, with the program that it executes now */
	uint64_t until_ns; /* the library is looked for; 0: no longer */
};

struct ww_stdio {
	struct ww_stdio_ops ops;
	void *ctx;
	unsigned count;
	struct process processes[WW_STDIO_PROCESSES_MAX];
	unsigned library_count, library_next;
	struct library libraries[LIBRARIES_MAX];
};

static void tell(struct ww_stdio *s, const struct ww_event_stdio *from, enum ww_stdio_status status,
		 const char *text)
{
	struct ww_event_stdio ev = *from;

	ev.h.time_ns = ww_boot_now().ns;
	ev.h.cpu = WW_EVENT_CPU_USER;
	ev.h.seq = 0;
	ev.status = status;
	ev.text_bytes = (uint32_t)strnlen(text, sizeof(ev.text));
	memcpy(ev.text, text, ev.text_bytes);
	s->ops.tell(s->ctx, &ev);
}

/* --- ends ---------------------------------------------------------------------------------------
 */

static struct ww_stdio_key key_of(const struct ww_stdio_end *end)
{
	return (struct ww_stdio_key){.inode = end->inode, .dev = end->dev};
}

static bool same_end(const struct ww_stdio_end *x, const struct ww_stdio_end *y)
{
	return x->inode == y->inode && x->dev == y->dev;
}

/* Another process has the same channel. */
static bool is_shared(const struct ww_stdio *s, const struct process *p)
{
	for (unsigned i = 0; i < s->count; i++) {
		const struct process *q = &s->processes[i];

		if (q != p && q->ev.h.cookie == p->ev.h.cookie)
			return true;
	}
	return false;
}

/* One socket may be both. */
static int take_ends(struct ww_stdio *s, const struct process *p)
{
	bool one = same_end(&p->ev.end[0], &p->ev.end[1]);
	struct ww_stdio_state in = {.cookie = p->ev.h.cookie,
				    .read_dir = WW_DIR_OUT,
				    .write_dir = one ? WW_DIR_IN : WW_STDIO_DIR_NONE};
	struct ww_stdio_state out = {
		.cookie = p->ev.h.cookie, .read_dir = WW_STDIO_DIR_NONE, .write_dir = WW_DIR_IN};
	struct ww_stdio_key key = key_of(&p->ev.end[0]);
	int r = s->ops.take(s->ctx, &key, &in);

	if (r < 0 || one)
		return r;
	key = key_of(&p->ev.end[1]);
	return s->ops.take(s->ctx, &key, &out);
}

static void leave_ends(struct ww_stdio *s, const struct process *p)
{
	for (unsigned i = 0; i < 2; i++) {
		struct ww_stdio_key key = key_of(&p->ev.end[i]);

		s->ops.leave(s->ctx, &key);
	}
}

static void drop(struct ww_stdio *s, struct process *p)
{
	if (!is_shared(s, p))
		leave_ends(s, p);
	if (p->link >= 0)
		s->ops.unset(s->ctx, p->ev.h.actor.pid, p->link);
	*p = s->processes[--s->count];
}

void ww_stdio_free(struct ww_stdio *s)
{
	while (s && s->count)
		drop(s, &s->processes[0]);
	free(s);
}

/* --- the C library ------------------------------------------------------------------------------
 */

static bool is_c_library(struct ww_slice path)
{
	size_t slash = 0;

	for (size_t i = 0; i < path.n; i++)
		slash = path.p[i] == '/' ? i + 1 : slash;
	path = ww_slice_sub(path, slash, SIZE_MAX);
	return ww_slice_starts(path, WW_SLICE_LIT("libc.so")) || /* .6; musl's has no number */
	       ww_slice_starts(path, WW_SLICE_LIT("libc-2.")) ||
	       ww_slice_starts(path, WW_SLICE_LIT("libc.musl-")) ||
	       ww_slice_starts(path, WW_SLICE_LIT("ld-musl-"));
}

/* NULL: it could not be read. */
static struct library *library_of(struct ww_stdio *s, int fd, struct ww_slice path)
{
	struct library *l = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return NULL;
	for (unsigned i = 0; i < s->library_count; i++) {
		if (s->libraries[i].dev == st.st_dev && s->libraries[i].inode == st.st_ino)
			l = &s->libraries[i];
	}
	if (l && l->changed.tv_sec == st.st_ctim.tv_sec && l->changed.tv_nsec == st.st_ctim.tv_nsec)
		return l;
	if (!l && s->library_count < LIBRARIES_MAX)
		l = &s->libraries[s->library_count++];
	else if (!l)
		l = &s->libraries[s->library_next++ % LIBRARIES_MAX];
	memset(l, 0, sizeof(*l));
	l->dev = st.st_dev;
	l->inode = st.st_ino;
	l->changed = st.st_ctim;
	memcpy(l->path, path.p, path.n < sizeof(l->path) ? path.n : sizeof(l->path) - 1);
	l->answer = ww_stdio_plan(fd, &l->plan);
	return l;
}

static int set_probes(struct ww_stdio *s, struct process *p, const struct library *l, int fd)
{
	int r = l->answer ? l->answer
			  : s->ops.set(s->ctx, p->ev.h.actor.pid, fd, &l->plan, &p->link);

	if (r < 0)
		return r;
	p->library_dev = l->dev;
	p->library_inode = l->inode;
	return 0;
}

static const char *why_not(int r)
{
	switch (r) {
	case -ENOENT:
	case -ENOTSUP:
		return "its C library's code is not understood";
	case -ENOSYS:
		return "this kernel has no probes for single processes";
	case -ENOSPC:
		return "too many channels";
	default:
		return "probes could not be set";
	}
}

/* Most processes have the library that others have: its probes can be set before it is mapped. */
static void guess(struct ww_stdio *s, struct process *p)
{
	for (unsigned i = 0; i < s->library_count && p->link < 0; i++) {
		const struct library *l = &s->libraries[i];
		WW_AUTO_FD int fd = -1;
		char path[WW_PATH_BYTES_MAX + 32];
		struct stat st;

		if (l->answer < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%u/root%s", p->ev.h.actor.pid, l->path);
		if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_dev != l->dev ||
		    st.st_ino != l->inode)
			continue;
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == l->inode)
			(void)set_probes(s, p, l, fd); /* else when it is mapped */
	}
}

struct look {
	struct ww_stdio *s;
	struct process *p;
	bool found;      /* a C library is mapped */
	const char *own; /* a program that makes its system calls itself: its kind */
	int answer;
};

static void take_library(struct look *k, const struct ww_maps_at *at)
{
	struct process *p = k->p;
	const struct library *l;
	WW_AUTO_FD int fd = -1;

	k->found = true;
	k->answer = ww_maps_open(at, &fd);
	if (k->answer < 0)
		return;
	l = library_of(k->s, fd, at->map.path);
	if (!l) {
		k->answer = -EIO;
		return;
	}
	if (p->link >= 0 && p->library_dev == l->dev && p->library_inode == l->inode)
		return;
	if (p->link >= 0)
		k->s->ops.unset(k->s->ctx, p->ev.h.actor.pid, p->link);
	p->link = -1;
	k->answer = set_probes(k->s, p, l, fd);
}

/* Go programs make their system calls themselves, also those that have a C library; static ones
 * have it inside. NULL: neither. */
static const char *makes_own_calls(const struct ww_maps_at *at)
{
	WW_AUTO(ww_elf_free_auto) struct ww_elf *e = NULL;
	WW_AUTO_FD int fd = -1;
	struct stat st, exe;

	if (ww_maps_open(at, &fd) < 0 || ww_elf_open(fd, &e) < 0)
		return NULL;
	if (ww_elf_has_section(e, ".gopclntab") || ww_elf_has_section(e, ".go.buildinfo"))
		return "a Go program";
	if (!ww_elf_has_interpreter(e) && fstat(fd, &st) == 0 &&
	    fstatat(at->proc, "exe", &exe, 0) == 0 && st.st_dev == exe.st_dev &&
	    st.st_ino == exe.st_ino)
		return "a static program";
	return NULL;
}

static int take_mapped(void *ctx, const struct ww_maps_at *at)
{
	struct look *k = ctx;

	if (is_c_library(at->map.path))
		take_library(k, at);
	else if (!k->own && !memmem(at->map.path.p, at->map.path.n, ".so", 3))
		k->own = makes_own_calls(at);
	return 0;
}

static void refuse(struct ww_stdio *s, struct process *p, const char *why)
{
	tell(s, &p->ev, WW_STDIO_OPAQUE, why);
	drop(s, p);
}

/* Probes that were set by guess tell nothing of a process whose C library was never found. */
static void end(struct ww_stdio *s, struct process *p)
{
	if (p->until_ns && !p->decided)
		tell(s, &p->ev, WW_STDIO_OPAQUE, "it ended too soon");
	drop(s, p);
}

/* True: it stays in the table. */
static bool look_at(struct ww_stdio *s, struct process *p, uint64_t now_ns)
{
	struct look k = {.s = s, .p = p};
	int r = ww_maps_walk(p->ev.h.actor, take_mapped, &k);

	if (r == -ESRCH) {
		end(s, p);
		return false;
	}
	if (k.own) {
		refuse(s, p, k.own);
		return false;
	}
	if (k.found && k.answer < 0) {
		refuse(s, p, why_not(k.answer));
		return false;
	}
	if (p->link < 0)
		guess(s, p);
	if (!p->told && p->link >= 0)
		tell(s, &p->ev, WW_STDIO_READ, "");
	p->told |= p->link >= 0;
	if (k.found)
		p->until_ns = 0;
	else if (now_ns >= p->until_ns) {
		refuse(s, p, "no C library");
		return false;
	}
	return true;
}

static int take_own(void *ctx, const struct ww_maps_at *at)
{
	WW_AUTO_FD int fd = -1;

	if (is_c_library(at->map.path) && ww_maps_open(at, &fd) == 0)
		(void)library_of(ctx, fd, at->map.path); /* else when it is met */
	return 0;
}

int ww_stdio_new(const struct ww_stdio_ops *ops, void *ctx, struct ww_stdio **ret_stdio)
{
	struct ww_actor_key own = {.pid = (uint32_t)getpid()};
	struct ww_stdio *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->ops = *ops;
	s->ctx = ctx;
	if (ww_maps_walk(own, take_own, s) < 0)
		s->library_count = 0; /* then they are met with their first process */
	*ret_stdio = s;
	return 0;
}

/* --- processes ----------------------------------------------------------------------------------
 */

static struct process *find(struct ww_stdio *s, struct ww_actor_key actor)
{
	for (unsigned i = 0; i < s->count; i++) {
		const struct ww_actor_key *k = &s->processes[i].ev.h.actor;

		if (k->pid == actor.pid && k->start_ns == actor.start_ns)
			return &s->processes[i];
	}
	return NULL;
}

static struct process *find_channel(struct ww_stdio *s, uint64_t channel)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (s->processes[i].ev.h.cookie == channel)
			return &s->processes[i];
	}
	return NULL;
}

void ww_stdio_found(struct ww_stdio *s, const struct ww_event_stdio *ev, const char *scope)
{
	struct process *p = find(s, ev->h.actor);
	struct ww_event_stdio mine = *ev;
	const struct process *known;
	int r = ww_stdio_agent(ev, scope, &mine.agent);

	if (p && (r < 0 || !same_end(&p->ev.end[0], &ev->end[0]) ||
		  !same_end(&p->ev.end[1], &ev->end[1]))) {
		drop(s, p);
		p = NULL;
	}
	mine.h.cookie = CHANNEL_BIT | ev->end[0].inode;
	if (r < 0) {
		tell(s, &mine, r == -ENXIO ? WW_STDIO_OUTSIDE : WW_STDIO_OPAQUE,
		     r == -ESRCH ? "it ended too soon" : "whose it is was not found");
		return;
	}
	known = p ? NULL : find_channel(s, mine.h.cookie);
	if (known && !(same_end(&known->ev.end[0], &ev->end[0]) &&
		       same_end(&known->ev.end[1], &ev->end[1]))) {
		tell(s, &mine, WW_STDIO_OPAQUE, "another process has its input as well");
		return;
	}
	if (!p && s->count == WW_STDIO_PROCESSES_MAX) {
		tell(s, &mine, WW_STDIO_OPAQUE, why_not(-ENOSPC));
		return;
	}
	if (!p) {
		if (known)
			mine.born = known->ev.born;
		p = &s->processes[s->count];
		*p = (struct process){
			.ev = mine,
			.link = -1,
			.decided = known && known->decided,
			.next = mine.born ? 0 : NOT_KNOWN,
		};
		s->count++;
		r = is_shared(s, p) ? 0 : take_ends(s, p);
		if (r < 0) {
			refuse(s, p, why_not(-ENOSPC));
			return;
		}
	}
	p->told = false;
	p->until_ns = ev->h.time_ns + LIBRARY_WAIT_NS;
	(void)look_at(s, p, ev->h.time_ns);
}

void ww_stdio_exited(struct ww_stdio *s, struct ww_actor_key actor)
{
	struct process *p = find(s, actor);

	if (p)
		end(s, p);
}

static void give_up(struct ww_stdio *s, uint64_t channel)
{
	bool told = false;

	for (unsigned i = 0; i < s->count;) {
		struct process *p = &s->processes[i];

		if (p->ev.h.cookie != channel) {
			i++;
			continue;
		}
		if (!told)
			tell(s, &p->ev, WW_STDIO_LEFT, "another protocol");
		told = true;
		drop(s, p);
	}
}

/* By the first byte of a line. */
static enum ww_stdio_wanted sniff(struct process *p, const struct ww_event_stdio_data *ev)
{
	struct ww_slice in = ww_slice(ev->bytes, ev->captured);
	bool begins = ev->offset == p->next;

	p->next = in.n && in.p[in.n - 1] == '\n' ? ev->offset + in.n : NOT_KNOWN;
	if (!begins)
		in = ww_slice_sub(in, ww_slice_find(in, 0, '\n') + 1, SIZE_MAX);
	in = ww_slice_trim(in);
	if (in.n == 0)
		return WW_STDIO_UNDECIDED;
	return in.p[0] == '{' || in.p[0] == '[' ? WW_STDIO_WANTED : WW_STDIO_OTHER;
}

static void decide(struct ww_stdio *s, uint64_t channel)
{
	for (unsigned i = 0; i < s->count; i++)
		s->processes[i].decided |= s->processes[i].ev.h.cookie == channel;
}

enum ww_stdio_wanted ww_stdio_wants(struct ww_stdio *s, const struct ww_event_stdio_data *ev)
{
	struct process *p = find_channel(s, ev->h.cookie);
	enum ww_stdio_wanted what = WW_STDIO_UNDECIDED;

	if (!p || p->decided)
		return p ? WW_STDIO_WANTED : WW_STDIO_OTHER;
	if (ev->dir == WW_DIR_OUT)
		what = sniff(p, ev);
	p->undecided_bytes += ev->captured;
	if (what == WW_STDIO_UNDECIDED && p->undecided_bytes > UNDECIDED_BYTES_MAX)
		what = WW_STDIO_OTHER;
	if (what == WW_STDIO_OTHER)
		give_up(s, ev->h.cookie);
	else if (what == WW_STDIO_WANTED)
		decide(s, ev->h.cookie);
	return what;
}

void ww_stdio_run(struct ww_stdio *s, uint64_t now_ns)
{
	for (unsigned i = 0; i < s->count;) {
		struct process *p = &s->processes[i];

		if (p->until_ns == 0 || look_at(s, p, now_ns))
			i++;
	}
}

unsigned ww_stdio_count(const struct ww_stdio *s)
{
	return s->count;
}
