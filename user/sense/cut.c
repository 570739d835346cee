/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/cut.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#define WAIT_S      2
#define PIECE_BYTES 32768u /* that the kernel answers with at most */

struct request {
	struct nlmsghdr head;
	struct inet_diag_req_v2 body;
};

static int read_answer(int fd)
{
	union {
		struct nlmsghdr head;
		char bytes[1024];
	} in;
	ssize_t n = recv(fd, &in, sizeof(in), 0);
	const struct nlmsgerr *e = NLMSG_DATA(&in.head);

	if (n < 0)
		return -errno;
	if ((size_t)n < NLMSG_LENGTH(sizeof(*e)) || in.head.nlmsg_type != NLMSG_ERROR)
		return -EBADMSG;
	return e->error;
}

/* Sends what is asked for; returns where the answers come, or -errno. */
static int ask(const struct ww_cut_ask *a, uint16_t type, uint16_t flags,
	       const struct inet_diag_sockid *id)
{
	struct request rq = {.head = {.nlmsg_len = sizeof(rq),
				      .nlmsg_type = type,
				      .nlmsg_flags = NLM_F_REQUEST | flags},
			     .body = {.sdiag_family = (uint8_t)a->peer.family,
				      .sdiag_protocol = a->proto,
				      .idiag_states = ~0u,
				      .id = *id}};
	WW_AUTO_FD int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct sockaddr_nl to = {.nl_family = AF_NETLINK};
	struct timeval wait = {.tv_sec = WAIT_S};

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (sendto(fd, &rq, sizeof(rq), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return WW_TAKE_FD(fd);
}

static int destroy(const struct ww_cut_ask *a, const struct inet_diag_sockid *id)
{
	WW_AUTO_FD int fd = ask(a, SOCK_DESTROY, NLM_F_ACK, id);

	return fd < 0 ? fd : read_answer(fd);
}

/* The socket with the cookie among those of one piece of the answer: 1 found, 0 not, or -errno:
 * there is nothing more. */
static int find_in(const struct nlmsghdr *h, size_t n, uint64_t cookie,
		   struct inet_diag_sockid *ret)
{
	for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
		const struct inet_diag_msg *m = NLMSG_DATA(h);

		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR ||
		    h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
			return -ENOENT;
		if (((uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0]) != cookie)
			continue;
		*ret = m->id;
		return 1;
	}
	return 0;
}

/*
 * By the cookie alone: what a connection's own end is, is told some time after its connect(), and
 * of a UDP socket that has sent nothing, never.
 */
static int find(const struct ww_cut_ask *a, struct inet_diag_sockid *ret)
{
	const struct inet_diag_sockid any = {.idiag_dport = htons(a->peer.port)};
	WW_AUTO_FD int fd = ask(a, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &any);
	WW_AUTO_FREE char *in = malloc(PIECE_BYTES);
	ssize_t n;
	int r = 0;

	if (fd < 0 || !in)
		return fd < 0 ? fd : -ENOMEM;
	while (r == 0) {
		n = recv(fd, in, PIECE_BYTES, 0);
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		r = find_in((const struct nlmsghdr *)in, (size_t)n, a->cookie, ret);
	}
	return r < 0 ? r : 0;
}

static int ask_kernel(const struct ww_cut_ask *a)
{
	struct inet_diag_sockid id = {
		.idiag_sport = htons(a->local.port),
		.idiag_dport = htons(a->peer.port),
		.idiag_cookie = {(uint32_t)a->cookie, (uint32_t)(a->cookie >> 32)}};
	int r;

	memcpy(id.idiag_src, a->local.addr, sizeof(a->local.addr));
	memcpy(id.idiag_dst, a->peer.addr, sizeof(a->peer.addr));
	r = destroy(a, &id);
	if (r != -ENOENT && r != -ESTALE)
		return r;
	/* Nobody has those ends, or somebody else. */
	r = find(a, &id);
	return r < 0 ? r : destroy(a, &id);
}

/* A thread of its own goes into the namespace and ends there: nothing else is ever in it. */
struct visit {
	const struct ww_cut_ask *ask;
	int ns; /* -1: this one */
	int r;
};

static void *visit(void *arg)
{
	struct visit *v = arg;

	v->r = v->ns >= 0 && setns(v->ns, CLONE_NEWNET) < 0 ? -errno : ask_kernel(v->ask);
	return NULL;
}

static bool is_namespace(int fd, uint32_t inode)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && (uint32_t)st.st_ino == inode;
}

int ww_cut_socket(const struct ww_cut_ask *a)
{
	WW_AUTO_FD int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	WW_AUTO_FD int its = -1;
	struct visit v = {.ask = a, .ns = -1};
	char path[40];
	pthread_t thread;
	int r;

	if (!is_namespace(own, a->netns)) {
		snprintf(path, sizeof(path), "/proc/%u/ns/net", a->pid);
		its = open(path, O_RDONLY | O_CLOEXEC);
		if (!is_namespace(its, a->netns))
			return -ESRCH;
		v.ns = its;
	}
	r = pthread_create(&thread, NULL, visit, &v);
	if (r != 0)
		return -r;
	pthread_join(thread, NULL);
	return v.r;
}

int ww_cut_possible(void)
{
	/* Nobody has port 0 at both ends: what can, looks, and finds nothing. */
	const struct ww_cut_ask nobody = {
		.local = {.family = AF_INET}, .peer = {.family = AF_INET}, .cookie = 1, .proto = 6};
	int r = ask_kernel(&nobody);

	return r == -ENOENT ? 0 : r == 0 ? -EBADMSG : r;
}
