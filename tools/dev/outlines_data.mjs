#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// node outlines_data.mjs PACKAGES > user/policy/earth_outlines.txt: outlines of countries, simplified.
//
// Input, below PACKAGES/node_modules: countries-10m.json of the npm package world-atlas 2.0.2 (its digest is checked), which is
// Natural Earth 1:10m "admin 0 countries", version 4.1.0, in the public domain; and i18n-iso-countries 7.14.0, which turns the
// numbers of ISO 3166-1 into letters. `make deps` puts both into build/npm-outlines. Run by hand; tests/system/outlines checks what
// it wrote against the same input with code of its own.
import crypto from 'node:crypto'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const DIGEST = '3bc6f1d367a9bcec479841bae0e76092f512838411d0cef124e92eec4db45f79'
const R = 6371008.8 // metres
const SPOT_M = 5000 // a ring that a circle of this radius covers is written as the circle
const UNIT = 250 // per degree

// Pieces that the source draws apart and that have no code: every country that holds or claims one has it, so that
// none of them is excluded while one of its pieces is not.
const PIECES = {
	'Akrotiri': ['CY', 'GB'], 'Ashmore and Cartier Is.': ['AU'], 'Baikonur': ['KZ', 'RU'],
	'Bajo Nuevo Bank': ['CO', 'HN', 'JM', 'NI', 'US'], 'Clipperton I.': ['FR'], 'Coral Sea Is.': ['AU'],
	'Cyprus U.N. Buffer Zone': ['CY'], 'Dhekelia': ['CY', 'GB'], 'Indian Ocean Ter.': ['AU'], 'Kosovo': ['RS', 'XK'],
	'N. Cyprus': ['CY'], 'Scarborough Reef': ['CN', 'PH', 'TW'], 'Serranilla Bank': ['CO', 'HN', 'JM', 'NI', 'US'],
	'Siachen Glacier': ['IN', 'PK'], 'Somaliland': ['SO'], 'Spratly Is.': ['BN', 'CN', 'MY', 'PH', 'TW', 'VN'],
	'USNB Guantanamo Bay': ['CU', 'US'],
}
// Rings within a box (west, south, east, north) of what the source draws as one: they have another code, too.
const WITHIN = [
	['France', 'GF', -55, 2, -51, 6], ['France', 'GP', -62, 15.7, -60.9, 16.6], ['France', 'MQ', -61.4, 14.3, -60.7, 15],
	['France', 'RE', 55, -21.5, 56, -20.8], ['France', 'YT', 44.9, -13.1, 45.4, -12.5],
	['Netherlands', 'BQ', -69, 12, -68, 12.4], ['Netherlands', 'BQ', -63.4, 17.4, -62.8, 17.7],
	['Norway', 'SJ', 10, 74, 35, 81], ['Norway', 'SJ', -9.5, 70.5, -7.5, 71.5], ['Norway', 'BV', 3, -54.6, 3.8, -54.2],
	['New Zealand', 'TK', -172.6, -9.6, -171, -8.4], ['Indian Ocean Ter.', 'CX', 105, -11, 106, -10],
	['Indian Ocean Ter.', 'CC', 96, -13, 97.5, -11.5], ['Russia', 'UA', 32.4, 44.3, 36.7, 46.3],
]

const packages = path.resolve(process.argv[2])
const file = fs.readFileSync(`${packages}/node_modules/world-atlas/countries-10m.json`)
const digest = crypto.createHash('sha256').update(file).digest('hex')
if (digest !== DIGEST)
	throw new Error(`countries-10m.json is another one: ${digest}`)
const topology = JSON.parse(file)
const iso = createRequire(`${packages}/x.js`)('i18n-iso-countries')

// --- geometry -----------------------------------------------------------------------------------

const rad = Math.PI / 180
const wrap = d => d > 180 ? d - 360 : d < -180 ? d + 360 : d

function apart([x1, y1], [x2, y2]) { // metres
	const a = Math.sin((y2 - y1) * rad / 2) ** 2 + Math.cos(y1 * rad) * Math.cos(y2 * rad) * Math.sin((x2 - x1) * rad / 2) ** 2
	return 2 * R * Math.asin(Math.min(1, Math.sqrt(a)))
}

// From p to the line from a to b that is straight in degrees.
function away(p, a, b) {
	const k = Math.cos(p[1] * rad), dx = wrap(b[0] - a[0]) * k, dy = b[1] - a[1], ex = wrap(p[0] - a[0]) * k, ey = p[1] - a[1]
	const n = dx * dx + dy * dy, t = n ? Math.max(0, Math.min(1, (ex * dx + ey * dy) / n)) : 0
	return apart(p, [a[0] + t * wrap(b[0] - a[0]), a[1] + t * dy])
}

// Ramer, Douglas, Peucker: which points stay, by their numbers, the first and the last always.
function keep(line, from, to, tolerance, out) {
	let far = -1, at = -1
	for (let i = from + 1; i < to; i++) {
		const d = away(line[i], line[from], line[to])
		if (d > far)
			[far, at] = [d, i]
	}
	if (far > tolerance) {
		keep(line, from, at, tolerance, out)
		keep(line, at, to, tolerance, out)
	} else {
		out.push(to)
	}
}

function simplified(line, tolerance) {
	const out = [0], last = line.length - 1
	if (line[0][0] === line[last][0] && line[0][1] === line[last][1]) { // a ring: two of its points stay
		const far = line.map(p => apart(p, line[0])), at = far.indexOf(Math.max(...far))
		keep(line, 0, at, tolerance, out)
		keep(line, at, last, tolerance, out)
	} else {
		keep(line, 0, last, tolerance, out)
	}
	return out
}

const cut = ([x, y]) => [Math.round(x * UNIT) / UNIT, Math.round(y * UNIT) / UNIT]

// How far the points of the full line are from the simplified one, part by part.
function error(line, kept) {
	let most = 0
	for (let k = 0; k + 1 < kept.length; k++) {
		const a = cut(line[kept[k]]), b = cut(line[kept[k + 1]])
		for (let i = kept[k]; i <= kept[k + 1]; i++)
			most = Math.max(most, away(line[i], a, b))
	}
	return most
}

function areaKm2(ring) {
	let sum = 0
	for (let i = 0; i + 1 < ring.length; i++)
		sum += wrap(ring[i + 1][0] - ring[i][0]) * rad * (Math.sin(ring[i][1] * rad) + Math.sin(ring[i + 1][1] * rad)) / 2
	return Math.abs(sum) * R * R / 1e6
}

// A circle around all points: its center need not be the best one.
function circle(ring) {
	const x = ring.map(p => ring[0][0] + wrap(p[0] - ring[0][0])), y = ring.map(p => p[1])
	const center = cut([wrap((Math.min(...x) + Math.max(...x)) / 2), (Math.min(...y) + Math.max(...y)) / 2])
	return [center, Math.max(...ring.map(p => apart(p, center)))]
}

// --- the source ---------------------------------------------------------------------------------

const { scale, translate } = topology.transform
const arcs = topology.arcs.map(arc => {
	let x = 0, y = 0
	return arc.map(([dx, dy]) => [(x += dx) * scale[0] + translate[0], (y += dy) * scale[1] + translate[1]])
})
const turned = i => i < 0 ? arcs[~i].slice().reverse() : arcs[i]
const points = ring => ring.flatMap((i, n) => turned(i).slice(n ? 1 : 0))

const countries = {} // by code: rings of the source
const add = (code, rings) => (countries[code] ??= []).push(...rings)
for (const g of topology.objects.countries.geometries) {
	const name = g.properties.name, rings = (g.type === 'Polygon' ? [g.arcs] : g.arcs).flat()
	const codes = PIECES[name] ?? [iso.numericToAlpha2(g.id)]
	if (!codes[0])
		throw new Error(`no code for ${name}`)
	codes.forEach(code => add(code, rings))
	for (const [of, code, west, south, east, north] of WITHIN)
		if (of === name)
			add(code, rings.filter(r => points(r).every(([x, y]) => x >= west && x <= east && y >= south && y <= north)))
}

// --- what is written ----------------------------------------------------------------------------

// 1 % of a country's width, within limits; the ice takes less of the table than it has coast. Of an island a part of it, so
// that it stays one.
const tolerance = arcs.map(() => Infinity)
const limit = (i, m) => { tolerance[i < 0 ? ~i : i] = Math.min(tolerance[i < 0 ? ~i : i], m) }
for (const [code, rings] of Object.entries(countries)) {
	const width = Math.sqrt(rings.reduce((sum, r) => sum + areaKm2(points(r)), 0)) * 1000
	const m = Math.max(250, Math.min(code === 'AQ' || code === 'GL' ? 8000 : 3000, width / 100))
	for (const ring of rings)
		ring.forEach(i => limit(i, Math.min(m, circle(points(ring))[1] / 4)))
}
const thin = arcs.map((arc, i) => simplified(arc, tolerance[i]))
const errors = arcs.map((arc, i) => error(arc, thin[i]))

function number(v) { // digits of base 47, the least first; the sign in the lowest bit
	let n = v < 0 ? -v * 2 - 1 : v * 2, out = ''
	for (; n >= 47; n = Math.floor(n / 47))
		out += String.fromCharCode(33 + 47 + n % 47)
	return out + String.fromCharCode(33 + n)
}

function written(ring) {
	let x = 0, y = 0, out = ''
	for (const p of ring) {
		const [px, py] = [Math.round(p[0] * UNIT), Math.round(p[1] * UNIT)]
		let dx = px - x
		dx = dx > 180 * UNIT ? dx - 360 * UNIT : dx < -180 * UNIT ? dx + 360 * UNIT : dx
		if (out && !dx && py === y)
			continue
		out += number(dx) + number(py - y)
		;[x, y] = [px, py]
	}
	return out
}

console.log(`# Outlines of countries for bounds on distance: simplified de-facto borders of Natural Earth, land without waters.
# Source: Natural Earth 1:10m, admin 0 countries, version 4.1.0, public domain ("Made with Natural Earth"), as countries-10m.json of
# the npm package world-atlas 2.0.2, sha256 ${DIGEST}.
# Written by tools/dev/outlines_data.mjs. A country: its ISO 3166-1 alpha-2 code, and the metres within which every point of the source's
# outline lies of this one. Then its rings: "o" and points, longitude before latitude, after the first as differences; or, for
# what a small circle covers, "s" and its center and radius. Units are 1/${UNIT} degree and metre. A number: digits of base 47, "!" is 0, the
# least first, 47 added while more follow; v is 2v, and -v is 2v - 1.`)
for (const code of Object.keys(countries).sort()) {
	let margin = 0, out = ''
	for (const ring of countries[code]) {
		const full = points(ring), [center, radius] = circle(full)
		if (radius <= SPOT_M) {
			out += 's' + number(Math.round(center[0] * UNIT)) + number(Math.round(center[1] * UNIT)) + number(Math.ceil(radius)) + '\n'
			continue
		}
		const line = ring.flatMap(i => {
			const a = i < 0 ? ~i : i, part = thin[a].map(n => arcs[a][n])
			margin = Math.max(margin, errors[a])
			return i < 0 ? part.reverse() : part
		})
		out += 'o' + written(line.slice(0, -1)) + '\n'
	}
	process.stdout.write(`${code} ${Math.ceil(margin)}\n${out}`)
}
