/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bounds: what can be computed of places, for tests and measurements.
 *
 *   bounds outlines         the outlines of all countries, JSON, a line each: code, margin in
 *                           metres, rings of longitudes and latitudes, spots with their radius
 *   bounds nearest <LINES   of each line "LATITUDE LONGITUDE WITHIN_KM RTT_US" a line: per country,
 *                           in the order of `outlines`, metres to the nearest point that can be of
 *                           it, and "x" behind them when it is excluded
 *   bounds rate ROUNDS      microseconds of CPU to ask of all countries whether they are excluded,
 *                           and for the nearest of all, by round trips of 1 to 100 ms; JSON
 */
#include <stdio.h>
#include <time.h>

#include "policy/earth.h"
#include "policy/earth_outlines.h"

#define COUNTRIES_MAX 300

static struct ww_area *areas[COUNTRIES_MAX];
static unsigned count;

static int load(void)
{
	struct ww_slice rest = ww_outlines();
	char error[WW_EARTH_ERROR_MAX];
	struct ww_outline o;

	while (count < COUNTRIES_MAX && ww_outline_next(&rest, &o)) {
		struct ww_slice code = ww_slice_str(o.code);

		if (ww_area_of_countries(&code, 1, &areas[count], error) < 0)
			return 1;
		count++;
	}
	return 0;
}

static void print_outlines(void)
{
	struct ww_slice rest = ww_outlines();
	struct ww_outline o;

	while (ww_outline_next(&rest, &o)) {
		struct ww_outline_ring ring;
		struct ww_slice rings = o.rings;
		const char *between = "";
		int32_t lon, lat;

		printf("{\"code\":\"%s\",\"margin\":%u,\"rings\":[", o.code, o.margin_m);
		while (ww_outline_ring(&rings, &ring)) {
			if (ring.spot)
				continue;
			printf("%s[", between);
			between = "";
			while (ww_outline_point(&ring, &lon, &lat)) {
				printf("%s[%.6f,%.6f]", between, lon / 1e6, lat / 1e6);
				between = ",";
			}
			putchar(']');
		}
		printf("],\"spots\":[");
		between = "";
		for (rings = o.rings; ww_outline_ring(&rings, &ring);) {
			if (!ring.spot || !ww_outline_point(&ring, &lon, &lat))
				continue;
			printf("%s[%.6f,%.6f,%u]", between, lon / 1e6, lat / 1e6, ring.radius_m);
			between = ",";
		}
		puts("]}");
	}
}

static int answer(void)
{
	struct ww_position p;
	double within_km;
	unsigned rtt_us;

	while (scanf("%lf %lf %lf %u", &p.lat, &p.lon, &within_km, &rtt_us) == 4) {
		for (unsigned i = 0; i < count; i++)
			printf("%s%u%s", i ? " " : "", ww_area_nearest_m(areas[i], p, within_km),
			       ww_area_excluded(areas[i], p, within_km, rtt_us) ? "x" : "");
		putchar('\n');
	}
	return feof(stdin) ? 0 : 1;
}

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void rate(unsigned rounds)
{
	static const struct ww_position hosts[] = {{50.11, 8.68},    {39.04, -77.49},
						   {1.35, 103.82},   {-33.87, 151.21},
						   {-23.55, -46.63}, {35.68, 139.69}};
	static const uint32_t rtt_us[] = {1000, 5000, 20000, 100000};
	unsigned excluded = 0, asked = 0;
	uint64_t nearest = 0;
	double begin = cpu_us(), all, exclusion;

	for (unsigned r = 0; r < rounds; r++)
		for (size_t h = 0; h < WW_ARRAY_SIZE(hosts); h++)
			for (size_t t = 0; t < WW_ARRAY_SIZE(rtt_us); t++, asked++)
				for (unsigned i = 0; i < count; i++)
					excluded +=
						ww_area_excluded(areas[i], hosts[h], 5, rtt_us[t]);
	exclusion = (cpu_us() - begin) / asked;
	begin = cpu_us();
	for (unsigned r = 0; r < rounds; r++)
		for (size_t h = 0; h < WW_ARRAY_SIZE(hosts); h++)
			for (unsigned i = 0; i < count; i++)
				nearest += ww_area_nearest_m(areas[i], hosts[h], 5);
	all = (cpu_us() - begin) / rounds / WW_ARRAY_SIZE(hosts);
	printf("{\"countries\":%u,\"exclusion_us\":%.1f,\"nearest_us\":%.1f,\"excluded\":%.3f,"
	       "\"nearest_km\":%.0f}\n",
	       count, exclusion, all, (double)excluded / asked / count,
	       (double)nearest / rounds / WW_ARRAY_SIZE(hosts) / count / 1000);
}

int main(int argc, char **argv)
{
	double begin = cpu_us();

	if (argc == 2 && strcmp(argv[1], "outlines") == 0) {
		print_outlines();
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "nearest") == 0)
		return load() || answer();
	if (argc == 3 && strcmp(argv[1], "rate") == 0) {
		if (load())
			return 1;
		fprintf(stderr, "loaded in %.0f us\n", cpu_us() - begin);
		rate((unsigned)strtoul(argv[2], NULL, 10));
		return 0;
	}
	fprintf(stderr, "usage: bounds outlines|nearest|rate ROUNDS\n");
	return 2;
}
