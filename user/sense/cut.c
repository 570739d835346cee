/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/cut.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#define WAIT_S 2

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

static int ask_kernel(const struct ww_cut_ask *a)
{
	struct request rq = {.head = {.nlmsg_len = sizeof(rq),
				      .nlmsg_type = SOCK_DESTROY,
				      .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
			     .body = {.sdiag_family = (uint8_t)a->peer.family,
				      .sdiag_protocol = a->proto,
				      .idiag_states = ~0u}};
	WW_AUTO_FD int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct sockaddr_nl to = {.nl_family = AF_NETLINK};
	struct timeval wait = {.tv_sec = WAIT_S};

	if (fd < 0)
		return -errno;
	rq.body.id.idiag_sport = htons(a->local.port);
	rq.body.id.idiag_dport = htons(a->peer.port);
	memcpy(rq.body.id.idiag_src, a->local.addr, sizeof(a->local.addr));
	memcpy(rq.body.id.idiag_dst, a->peer.addr, sizeof(a->peer.addr));
	rq.body.id.idiag_cookie[0] = (uint32_t)a->cookie;
	rq.body.id.idiag_cookie[1] = (uint32_t)(a->cookie >> 32);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (sendto(fd, &rq, sizeof(rq), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return read_answer(fd);
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
