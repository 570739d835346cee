/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay: a long way between two network namespaces, for kernels that cannot delay packets
 * themselves. Two TUN devices; what enters one leaves the other so many microseconds later, never
 * earlier, in order.
 *
 *   relay DELAY-US FILE  prints "ready NAME NAME" when the devices are there, to be moved where
 * they belong. Ends on SIGTERM, or when a device is gone with its namespace; then FILE gets a line
 * of JSON for each direction: what was taken, what was given, what found the queue full, what the
 * device refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define PACKET_BYTES_MAX 2048u /* the devices' MTU is 1,500 */
#define QUEUE_MAX        8192u /* of one direction: 60 Mbit/s over 160 ms with much to spare */
#define AT_ONCE_MAX      64u   /* the other way waits no longer */
#define NS               1000000000ll

struct packet {
	int64_t due;
	unsigned bytes;
	uint8_t data[PACKET_BYTES_MAX];
};

struct count {
	unsigned long long packets, bytes;
};

struct way {
	int from, to;
	struct packet *queue;
	unsigned first, waiting;
	struct count taken, given, full, refused;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS + t.tv_nsec;
}

static int open_device(char name[IFNAMSIZ])
{
	struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	/* The kernel puts a number there that is free. */
	memcpy(r.ifr_name, "ww77t%d", sizeof("ww77t%d"));
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r) < 0) {
		perror("relay: /dev/net/tun");
		exit(1);
	}
	memcpy(name, r.ifr_name, IFNAMSIZ);
	return fd;
}

static void add(struct count *c, unsigned bytes)
{
	c->packets++;
	c->bytes += bytes;
}

/* False: the device is gone. */
static bool take(struct way *w, int64_t delay)
{
	static uint8_t beyond[PACKET_BYTES_MAX];

	for (unsigned i = 0; i < AT_ONCE_MAX; i++) {
		bool full = w->waiting == QUEUE_MAX;
		struct packet *p = &w->queue[(w->first + w->waiting) % QUEUE_MAX];
		ssize_t n = read(w->from, full ? beyond : p->data, PACKET_BYTES_MAX);

		if (n <= 0)
			return n < 0 && (errno == EAGAIN || errno == EINTR);
		add(&w->taken, (unsigned)n);
		if (full) {
			add(&w->full, (unsigned)n);
			continue;
		}
		p->due = now() + delay;
		p->bytes = (unsigned)n;
		w->waiting++;
	}
	return true;
}

/* False: the device is gone. */
static bool give(struct way *w)
{
	while (w->waiting && w->queue[w->first].due <= now()) {
		struct packet *p = &w->queue[w->first];
		ssize_t n = write(w->to, p->data, p->bytes);

		if (n < 0 && errno == EBADFD)
			return false;
		add(n == (ssize_t)p->bytes ? &w->given : &w->refused, p->bytes);
		w->first = (w->first + 1) % QUEUE_MAX;
		w->waiting--;
	}
	return true;
}

static void carry(struct way w[2], int64_t delay, const sigset_t *open)
{
	while (!stopped) {
		struct pollfd fds[2] = {{w[0].from, POLLIN, 0}, {w[1].from, POLLIN, 0}};
		struct timespec wait;
		int64_t next = INT64_MAX, left;

		for (unsigned i = 0; i < 2; i++) {
			if (!take(&w[i], delay) || !give(&w[i]))
				return;
			if (w[i].waiting && w[i].queue[w[i].first].due < next)
				next = w[i].queue[w[i].first].due;
		}
		left = next == INT64_MAX ? 0 : next - now();
		left = left < 0 ? 0 : left;
		wait = (struct timespec){left / NS, left % NS};
		if (ppoll(fds, 2, next == INT64_MAX ? NULL : &wait, open) < 0 && errno != EINTR)
			return;
	}
}

static void write_count(FILE *out, const char *name, const struct count *c)
{
	fprintf(out, ", \"%s\": [%llu, %llu]", name, c->packets, c->bytes);
}

static int write_counts(const char *path, const struct way w[2])
{
	FILE *out = fopen(path, "we");

	if (!out)
		return 1;
	for (unsigned i = 0; i < 2; i++) {
		fprintf(out, "{\"from\": %u", i);
		write_count(out, "taken", &w[i].taken);
		write_count(out, "given", &w[i].given);
		write_count(out, "full", &w[i].full);
		write_count(out, "refused", &w[i].refused);
		fprintf(out, ", \"waiting\": %u}\n", w[i].waiting);
	}
	return fclose(out) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = stop};
	char names[2][IFNAMSIZ], *end = NULL;
	struct way w[2] = {0};
	sigset_t held, open;
	long delay_us = argc == 3 ? strtol(argv[1], &end, 10) : -1;

	if (delay_us < 0 || *end) {
		fprintf(stderr, "usage: relay DELAY-US FILE\n");
		return 2;
	}
	/* Signals come while it waits, and at no other time. */
	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGINT);
	sigprocmask(SIG_BLOCK, &held, &open);
	sigdelset(&open, SIGTERM);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul);
	for (unsigned i = 0; i < 2; i++) {
		w[i].from = open_device(names[i]);
		w[!i].to = w[i].from;
		w[i].queue = calloc(QUEUE_MAX, sizeof(*w[i].queue));
		if (!w[i].queue)
			return 1;
	}
	printf("ready %s %s\n", names[0], names[1]);
	fflush(stdout);
	carry(w, delay_us * 1000ll, &open);
	return write_counts(argv[2], w);
}
