// SPDX-License-Identifier: Apache-2.0
// node check.mjs PACKAGES BOUNDS: the outlines that the monitor has, and what it computes by them, against Natural Earth 1:10m in
// full (npm world-atlas), with code of its own: haversines, no shortcuts but a grid. A line per fact.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { createRequire } from 'node:module'

const [, , packages, bounds] = process.argv
const iso = createRequire(`${packages}/x.js`)('i18n-iso-countries')
const topology = JSON.parse(fs.readFileSync(`${packages}/node_modules/world-atlas/countries-10m.json`))
const say = (what, v) => console.log(`${what}: ${v}`)

// What the source draws apart and gives no code: who must have it.
const CLAIMED = {
	'Akrotiri': 'CY GB', 'Baikonur': 'KZ RU', 'Bajo Nuevo Bank': 'CO US', 'Clipperton I.': 'FR', 'Coral Sea Is.': 'AU',
	'Cyprus U.N. Buffer Zone': 'CY', 'Dhekelia': 'CY GB', 'Indian Ocean Ter.': 'AU', 'Kosovo': 'RS XK', 'N. Cyprus': 'CY',
	'Scarborough Reef': 'CN PH TW', 'Serranilla Bank': 'CO US', 'Siachen Glacier': 'IN PK', 'Somaliland': 'SO',
	'Spratly Is.': 'BN CN MY PH TW VN', 'USNB Guantanamo Bay': 'CU US',
}

// --- geometry -----------------------------------------------------------------------------------

const R = 6371008.8, rad = Math.PI / 180
const wrap = d => d - 360 * Math.round(d / 360)
function apart(lon1, lat1, lon2, lat2) {
	const u = Math.sin((lat2 - lat1) * rad / 2), v = Math.sin((lon2 - lon1) * rad / 2)
	return 2 * R * Math.asin(Math.min(1, Math.sqrt(u * u + Math.cos(lat1 * rad) * Math.cos(lat2 * rad) * v * v)))
}

// From a point to a line that is straight in degrees: its nearest point by halving, from where a flat map has it.
function away(lon, lat, e) {
	const k = Math.cos(lat * rad), dx = e.dx * k, ex = wrap(lon - e.x) * k, ey = lat - e.y, n = dx * dx + e.dy * e.dy
	const t = n ? Math.max(0, Math.min(1, (ex * dx + ey * e.dy) / n)) : 0
	return apart(lon, lat, e.x + t * e.dx, e.y + t * e.dy)
}

let seed = 1n
function draw(from, to) {
	seed = (seed * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn
	return from + (to - from) * Number(seed >> 11n) / 2 ** 53
}

// --- the source, and ours -----------------------------------------------------------------------

const { scale, translate } = topology.transform
const arcs = topology.arcs.map(arc => {
	let x = 0, y = 0
	return arc.map(([dx, dy]) => [(x += dx) * scale[0] + translate[0], (y += dy) * scale[1] + translate[1]])
})
const line = ring => ring.flatMap(i => i < 0 ? arcs[~i].slice().reverse() : arcs[i])
const source = topology.objects.countries.geometries.map(g => ({
	name: g.properties.name,
	codes: CLAIMED[g.properties.name]?.split(' ') ?? [iso.numericToAlpha2(g.id)],
	rings: (g.type === 'Polygon' ? [g.arcs] : g.arcs).flat().map(line),
}))

const ours = new Map(execFileSync(bounds, ['outlines'], { maxBuffer: 1 << 28 }).toString().trim().split('\n')
	.map(l => JSON.parse(l)).map(c => [c.code, c]))
const codes = [...ours.keys()]
say('countries', codes.length)
say('codes that no country has', codes.filter(c => c !== 'XK' && !iso.isValid(c)).join(' ') || 'none')
const missing = Object.keys(iso.getAlpha2Codes()).filter(c => !ours.has(c))
say('countries without an outline', missing.join(' ') || 'none')
say('pieces without a country', source.filter(s => s.codes.some(c => !ours.has(c))).map(s => s.name).join(', ') || 'none')

// --- every point of the source's outline is within the margin -----------------------------------

// A grid of whole degrees: the edges in each.
for (const c of ours.values()) {
	c.grid = new Map()
	const put = (x, y, e) => {
		const key = `${Math.floor(wrap(x))} ${Math.floor(y)}`
		c.grid.get(key)?.push(e) ?? c.grid.set(key, [e])
	}
	for (const ring of c.rings) {
		ring.forEach(([x, y], i) => {
			const [x2, y2] = ring[(i + 1) % ring.length], e = { x, y, dx: wrap(x2 - x), dy: y2 - y }
			const n = Math.ceil(Math.max(Math.abs(e.dx), Math.abs(e.dy)) * 2) || 1
			for (let k = 0; k <= n; k++)
				put(x + e.dx * k / n, y + e.dy * k / n, e)
		})
	}
}

function off(c, lon, lat) { // metres of the point from the outline or into a spot
	let best = Infinity
	for (const [x, y, r] of c.spots)
		if (Math.abs(lat - y) < 0.2)
			best = Math.min(best, Math.max(0, apart(lon, lat, x, y) - r))
	const seen = new Set(), wide = Math.min(180, Math.ceil(0.1 / Math.cos(lat * rad)))
	for (let dx = -wide; dx <= wide; dx++) {
		for (let dy = -1; dy <= 1; dy++) {
			for (const e of c.grid.get(`${Math.floor(wrap(Math.floor(lon) + dx + 0.5))} ${Math.floor(lat) + dy}`) ?? []) {
				if (!seen.has(e))
					best = Math.min(best, away(lon, lat, e))
				seen.add(e)
			}
		}
	}
	return best
}

let points = 0, most = 0
const beyond = new Set()
for (const s of source) {
	for (const code of s.codes) {
		const c = ours.get(code)
		for (const ring of s.rings) {
			ring.forEach(([x, y], i) => {
				const [x2, y2] = ring[(i + 1) % ring.length], dx = wrap(x2 - x)
				const n = Math.ceil(Math.max(Math.abs(dx), Math.abs(y2 - y)) * 10) || 1 // 11 km
				for (let k = 0; k < n; k++) {
					const d = off(c, x + dx * k / n, y + (y2 - y) * k / n)
					points++
					most = Math.max(most, d)
					if (d > c.margin + 1)
						beyond.add(code)
				}
			})
		}
	}
}
say('points looked at', points > 500000 ? 'enough' : points)
say('outlines that are farther off than they say', [...beyond].join(' ') || 'none')
say('the farthest', most < 8100 ? 'as the ice may be' : most)

// --- nobody is excluded where he stands ---------------------------------------------------------

// A place within the source's rings by a ray to the north pole, or on them.
function within(s, lon, lat) {
	let n = 0
	for (const ring of s.rings) {
		for (let i = 0; i < ring.length; i++) {
			const [x, y] = ring[i], [x2, y2] = ring[(i + 1) % ring.length], dx = wrap(x2 - x), at = wrap(lon - x)
			if (dx !== 0 && (dx > 0 ? at >= 0 && at < dx : at < 0 && at >= dx) && y + (y2 - y) * at / dx > lat)
				n++
		}
	}
	return n % 2 === 1
}

// 0.9944: what the ellipsoid may make of a way on the sphere. Rings that hold a pole hold the southern one.
const SHORT = 0.9944, LIGHT = 299.792458
const asked = [], inland = { yes: 0, tried: 0 }
for (const s of source) {
	const all = s.rings.flat()
	for (let i = 0; i < 24; i++) {
		let [lon, lat] = all[Math.floor(draw(0, all.length))]
		for (let k = 0; k < 8 && i % 2; k++) { // inland
			const x = wrap(lon + draw(-4, 4)), y = Math.max(-90, Math.min(90, lat + draw(-3, 3)))
			inland.tried++
			if (within(s, x, y)) {
				[lon, lat] = [x, y]
				inland.yes++
				break
			}
		}
		const far = i % 3 ? 10 ** draw(-2, 1) : 180
		const host = [wrap(lon + draw(-far, far)), Math.max(-89.9, Math.min(89.9, lat + draw(-far, far)))].map(v => Number(v.toFixed(4)))
		const m = apart(lon, lat, ...host) * SHORT
		asked.push({ s, host, m, line: `${host[1]} ${host[0]} 0 ${Math.max(1, Math.floor(2 * m / LIGHT * draw(1, i % 4 ? 1 : 2)))}` })
	}
}
const answers = execFileSync(bounds, ['nearest'], { input: asked.map(a => a.line).join('\n') + '\n', maxBuffer: 1 << 28 })
	.toString().trim().split('\n').map(l => l.split(' '))
let excluded = 0, wrong = [], loose = []
asked.forEach((a, i) => {
	excluded += answers[i].filter(v => v.endsWith('x')).length
	for (const code of a.s.codes) {
		const v = answers[i][codes.indexOf(code)]
		if (v.endsWith('x') || parseInt(v) > a.m)
			wrong.push(`${code} from ${a.line}: ${v}`)
	}
})
say('answers', answers.length === asked.length ? 'all' : answers.length)
say('inland', inland.yes > 800 ? 'enough' : inland.yes)
say('excluded where somebody stands', wrong.slice(0, 3).join(', ') || 'none')
say('excluded at all', excluded > asked.length * 50 ? 'most' : excluded)

// Nor much too near: against all points of the source, for a part of them.
for (let i = 0; i < asked.length; i += 97) {
	const { s, host } = asked[i]
	if (s.codes.length > 1 || s.name === 'Ashmore and Cartier Is.')
		continue
	const all = source.filter(o => o.codes.includes(s.codes[0])).flatMap(o => o.rings)
	let least = within({ rings: all }, ...host) ? 0 : Infinity
	for (const [x, y] of all.flat())
		least = Math.min(least, apart(...host, x, y))
	const v = parseInt(answers[i][codes.indexOf(s.codes[0])])
	// 1 %, the margins (8 km at most, of the ice), 5 km for the source, 10 km for the ways between its points.
	if (v < least * 0.99 - 24000)
		loose.push(`${s.codes[0]} from ${host}: ${v}, ${Math.round(least)}`)
}
say('much too near', loose.slice(0, 3).join(', ') || 'none')
