/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stdioload: an agent and its tool server over pipes, for measurements. The agent starts the server
 * (itself) and then obeys its own standard input: for each line "N" it makes N calls one after the
 * other and prints one line of JSON: the time of a round trip (median, 99th percentile, worst, in
 * ns), and what both processes took of the CPU.
 *
 *   -r N  bytes of a request (512)    -a N  bytes of an answer (1200)    -c CPU  both run there
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define BYTES_MAX 65536
#define CALLS_MAX 1000000

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static void write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0)
			die("write");
		p += done;
		n -= (size_t)done;
	}
}

/* A line, its newline included; 0: the other end is closed. */
static size_t read_line(int fd, char *p, size_t cap)
{
	size_t n = 0;

	while (n < cap) {
		ssize_t got = read(fd, p + n, cap - n);

		if (got < 0)
			die("read");
		if (got == 0)
			return 0;
		n += (size_t)got;
		if (p[n - 1] == '\n')
			return n;
	}
	return 0;
}

/* "HEAD...xxx...TAIL\n" of n bytes. */
static void fill(char *out, size_t n, const char *head, const char *tail)
{
	size_t h = strlen(head), t = strlen(tail);

	if (n < h + t + 1 || n > BYTES_MAX) {
		fprintf(stderr, "stdioload: cannot make %zu bytes\n", n);
		exit(1);
	}
	memset(out, 'x', n);
	memcpy(out, head, h);
	memcpy(out + n - t - 1, tail, t);
	out[n - 1] = '\n';
}

/* Answers with the id of the question, which stands at the same place. */
static int serve(size_t answer_bytes)
{
	static char in[BYTES_MAX], out[BYTES_MAX];
	static const char head[] = "{\"jsonrpc\":\"2.0\",\"id\":0000000,";

	fill(out, answer_bytes,
	     "{\"jsonrpc\":\"2.0\",\"id\":0000000,\"result\":{\"content\":[{\"type\":\"text\","
	     "\"text\":\"",
	     "\"}]}}");
	while (read_line(0, in, sizeof(in))) {
		memcpy(out + sizeof(head) - 9, in + sizeof(head) - 9, 7);
		write_all(1, out, answer_bytes);
	}
	return 0;
}

static int by_size(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

static double cpu_us(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void measure(int to, int from, unsigned calls, size_t request_bytes)
{
	static char out[BYTES_MAX], in[BYTES_MAX], id[16];
	static uint64_t took[CALLS_MAX];
	static unsigned serial = 1000000; /* seven digits: no leading zero */
	double cpu = cpu_us(RUSAGE_SELF);

	fill(out, request_bytes,
	     "{\"jsonrpc\":\"2.0\",\"id\":0000000,\"method\":\"tools/"
	     "call\",\"params\":{\"name\":\"bench\","
	     "\"arguments\":{\"x\":\"",
	     "\"}}}");
	for (unsigned i = 0; i < calls; i++) {
		uint64_t begun;

		snprintf(id, sizeof(id), "%07u", serial++);
		memcpy(out + 22, id, 7);
		begun = now_ns();
		write_all(to, out, request_bytes);
		if (!read_line(from, in, sizeof(in)))
			die("the server");
		took[i] = now_ns() - begun;
	}
	qsort(took, calls, sizeof(took[0]), by_size);
	printf("{\"calls\": %u, \"p50_ns\": %" PRIu64 ", \"p99_ns\": %" PRIu64
	       ", \"worst_ns\": %" PRIu64 ", \"agent_cpu_us\": %.3f}\n",
	       calls, took[calls / 2], took[calls - calls / 100 - 1], took[calls - 1],
	       (cpu_us(RUSAGE_SELF) - cpu) / calls);
	fflush(stdout);
}

static void start_server(char *self, size_t answer_bytes, int *ret_to, int *ret_from)
{
	int in[2], out[2];
	char bytes[24];

	snprintf(bytes, sizeof(bytes), "%zu", answer_bytes);
	if (pipe(in) < 0 || pipe(out) < 0)
		die("pipe");
	switch (fork()) {
	case -1:
		die("fork");
		break;
	case 0:
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[0]);
		close(in[1]);
		close(out[0]);
		close(out[1]);
		execl("/proc/self/exe", self, "-S", bytes, NULL);
		die("exec");
		break;
	default:
		break;
	}
	close(in[0]);
	close(out[1]);
	*ret_to = in[1];
	*ret_from = out[0];
}

int main(int argc, char **argv)
{
	size_t request_bytes = 512, answer_bytes = 1200;
	unsigned calls;
	cpu_set_t cpus;
	int to, from, c;

	while ((c = getopt(argc, argv, "r:a:c:S:")) != -1) {
		switch (c) {
		case 'r':
			request_bytes = strtoul(optarg, NULL, 10);
			break;
		case 'a':
			answer_bytes = strtoul(optarg, NULL, 10);
			break;
		case 'c':
			CPU_ZERO(&cpus);
			CPU_SET(strtoul(optarg, NULL, 10), &cpus);
			if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0)
				die("sched_setaffinity");
			break;
		case 'S':
			return serve(strtoul(optarg, NULL, 10));
		default:
			return 2;
		}
	}
	start_server(argv[0], answer_bytes, &to, &from);
	while (scanf("%u", &calls) == 1) {
		if (calls == 0 || calls > CALLS_MAX)
			return 2;
		measure(to, from, calls, request_bytes);
	}
	return 0;
}
