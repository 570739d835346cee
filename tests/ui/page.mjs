// SPDX-License-Identifier: Apache-2.0
// Looks at a report's page in a real browser and compares it with the signed payload, which it reads by itself.
//   page.mjs NPM PAGE REPORT WORDS PICTURES    prints one line per check, "name: what was found"; WORDS gets the page's
//                                              own words, one per line; PICTURES a folder for screenshots and the PDF
import { createRequire } from 'node:module';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';

const [npm, file, report, words, pictures] = process.argv.slice(2);
const require = createRequire(npm + '/');
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const say = (name, what) => console.log(`${name}: ${what}`);
const envelope = JSON.parse(readFileSync(report, 'utf8'));
const payload = JSON.parse(Buffer.from((envelope.dsseEnvelope ?? envelope).payload, 'base64').toString('utf8'));
const listed = payload.predicate.records.map((r) => ({ index: r.index, kind: r.kind, record: r.record && JSON.parse(r.record) }));

// --- what the payload says -------------------------------------------------------------------------------------------

// What a reader's screen would act on is written out; the rules of user/out/printable.h, written again.
const printable = (s) => [...s].map((c) => {
	const n = c.codePointAt(0);
	const acts = n < 0x20 || (n >= 0x7f && n <= 0x9f) || n === 0x61c || (n >= 0x200b && n <= 0x200f) || (n >= 0x2028 && n <= 0x202e) ||
		(n >= 0x2060 && n <= 0x206f) || n === 0xfeff || n >= 0xe0000;
	return !acts ? c : n < 0x80 ? `\\x${n.toString(16).padStart(2, '0')}` : `\\u{${n.toString(16).padStart(4, '0')}}`;
}).join('');

const said = new Set();
function collect(value, lines) {
	if (value && typeof value === 'object') {
		for (const [key, v] of Object.entries(value)) {
			said.add(printable(key));
			collect(v);
		}
	} else if (typeof value === 'string') {
		const points = [...value];
		said.add(printable(value));
		if (points.length > 240)
			said.add(printable(points.slice(0, 240).join('')) + '…');
		if (value.includes('\n'))
			said.add(value.split('\n').map(printable).join('\n'));
	} else if (typeof value === 'number') {
		said.add(String(value));
	}
}
collect(payload);
listed.forEach((r) => collect(r.record));

// Nanoseconds of an RFC 3339 text.
function ns(t) {
	const m = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(t);
	return m && BigInt(Date.parse(m[1] + 'Z')) * 1000000n + BigInt((m[2] ?? '').padEnd(9, '0'));
}
// A time as a drawing writes it: cut to microseconds, from a second on to milliseconds.
function written(d) {
	const unit = d < 1000000000n ? 1000000n : 1000000000n;
	const part = String((d % unit) / (unit / 1000n)).padStart(3, '0').replace(/0+$/, '');
	return d === 0n ? '0' : `${d / unit}${part && '.' + part}${unit === 1000000n ? ' ms' : ' s'}`;
}

// Every instant that a verdict's drawing may name: its own times, and those of its exchanges and flows.
function instants(verdict) {
	const all = new Set();
	const ids = new Set();
	(function walk(v) {
		if (typeof v === 'string') {
			ids.add(v);
			if (ns(v) !== null)
				all.add(ns(v));
		} else if (v && typeof v === 'object') {
			Object.values(v).forEach(walk);
		}
	})(verdict);
	for (const { record: r } of listed.filter(({ record: x }) => x && ids.has(x.id))) {
		// The instant that the record's own time is.
		const zero = { flow: r.openBootNs, run: r.beganBootNs, change: r.byBootNs }[r.kind] ?? r.request?.firstBootNs;
		for (const at of [zero, r.closeBootNs, r.endedBootNs, r.sinceBootNs, r.request?.lastBootNs, r.response?.firstBootNs, r.response?.lastBootNs])
			if (at !== undefined && zero !== undefined)
				all.add(ns(r.t) + BigInt(at) - BigInt(zero));
	}
	return all;
}

// --- what the page shows, read in the page ----------------------------------------------------------------------------

const read = () => {
	const all = (selector, root = document) => [...root.querySelectorAll(selector)];
	const own = document.body.cloneNode(true);
	const rows = all('.verdicts tbody tr').map((tr) => ({
		index: Number(tr.querySelector('th').textContent), text: tr.textContent, values: all('.v', tr).map((e) => e.textContent),
		links: all('a', tr).map((a) => a.getAttribute('href')) }));
	all('.v, time, pre.json, svg.times, svg.bar desc, figure.map', own).forEach((e) => e.remove());
	const walker = document.createTreeWalker(own, NodeFilter.SHOW_TEXT);
	const texts = new Set();
	while (walker.nextNode())
		texts.add(walker.currentNode.data.replace(/\s+/g, ' ').trim());
	return {
		rows,
		values: all('.v').filter((e) => !e.querySelector('.v')).map((e) => e.textContent),
		times: all('time').map((e) => [e.getAttribute('datetime'), e.textContent]),
		records: all('.record').map((e) => [e.id, e.querySelector('pre.json')?.textContent]),
		paths: all('article[id^="y-"]').map((e) => ({ index: Number(e.id.slice(2)), values: all('.v', e).map((x) => x.textContent),
			rows: all('tbody tr', e).length, maps: all('figure.map', e).length, links: all('a', e).map((a) => a.getAttribute('href')) })),
		drawings: all('article[id^="v-"]').map((e) => ({ index: Number(e.id.slice(2)), desc: e.querySelector('svg.times desc')?.textContent,
			title: e.querySelector('svg.times title')?.textContent, names: all('svg.times .lane', e).map((t) => t.textContent),
			deeds: all('tbody tr', e).map((tr) => ({ values: all('.v', tr).map((x) => x.textContent), times: all('time', tr).map((x) => x.getAttribute('datetime')),
				text: tr.textContent, links: all('a', tr).map((a) => a.getAttribute('href')) })),
			texts: all('svg.times text.times', e).map((t) => t.textContent), legs: all('svg.times rect:not(.tick), svg.times path', e).length })),
		bars: all('svg.bar desc').flatMap((e) => e.textContent.match(/\d+/g)),
		words: [...texts].filter(Boolean).sort(),
		dead: all('a').map((a) => a.getAttribute('href')).filter((h) => h[0] !== '#' || !document.getElementById(h.slice(1))),
		active: all('script, iframe, object, embed, img, link, form, input, base, audio, video, style[media], [style], [srcdoc]').length +
			all('*').filter((e) => [...e.attributes].some((a) => /^on/i.test(a.name) || /javascript:/i.test(a.value))).length,
		policy: document.querySelector('meta[http-equiv]').content,
		order: all('#completeness, .verdicts').map((e) => e.id || e.className),
		tables: all('table').filter((t) => !t.querySelector('caption') || !t.querySelector('thead th[scope=col]') || !t.querySelector('tbody th[scope=row]')).length,
		undescribed: all('svg:not([aria-hidden])').filter((s) => !s.querySelector(':scope > title') || !s.querySelector(':scope > desc')).length,
	};
};

function compare(page) {
	const wrongTimes = page.times.filter(([exact, short]) => !said.has(exact) || short !== `${exact.slice(0, 10)} ${exact.slice(11, 23)}`);
	const verdicts = listed.filter((r) => r.kind === 'verdict');
	const shown = new Map(page.records);
	const foreign = page.values.filter((v) => !said.has(v));
	const claims = new Map((payload.predicate.claims?.list ?? []).map((c) => [c.index, c]));
	const decides = (l) => l.deeds.filter((d) => d.id === l.decides).flatMap((d) => [printable([...(d.program ?? d.file)].slice(0, 240).join('')) +
		([...(d.program ?? d.file)].length > 240 ? '…' : ''), d.end, d.exitCode, d.signal, ...(d.what ?? [])]);
	const onThisHost = (l) => l ? [...(l.total === 1 && l.decides ? [] : [l.total || l.contested || l.sought]), ...decides(l)] : [];
	const must = (r) => [r.record.verdict, r.record.reason, claims.get(r.index)?.outcome, claims.get(r.index)?.bound, r.record.evidence,
		r.record.join, r.record.wire?.status, r.record.span?.status, ...onThisHost(r.record.local),
		r.record.wire?.elsewhere?.peer, r.record.wire?.candidates && r.record.n].filter((v) => v !== null && v !== undefined).map(String);
	const drawn = page.drawings.flatMap((d) => {
		const verdict = listed.find((r) => r.index === d.index).record;
		const known = instants(verdict);
		const base = /^After (\S+): /.exec(d.desc ?? '')?.[1];
		const good = base && new Set([...known].filter((t) => t >= ns(base)).map((t) => '+' + written(t - ns(base))));
		const given = [d.desc ?? '', ...d.texts].flatMap((t) => t.match(/\+\d[\d.]*(?: m?s)?(?=[;,]| to |$)/g) ?? []);
		const wanted = verdict.span?.start || verdict.said?.claims?.length || verdict.wire?.attempts?.length || verdict.local?.deeds.length;
		if (!d.desc)
			return wanted ? [`${d.index} has no drawing`] : [];
		if (!known.has(ns(base)))
			return [`${d.index} begins at ${base}`];
		if (given.length < d.texts.length * 2 || d.legs < d.names.length)
			return [`${d.index} says too little`];
		return given.filter((t) => !good.has(t)).map((t) => `${d.index}: ${t}`);
	});
	const lanes = page.drawings.flatMap((d) => {
		const r = listed.find((x) => x.index === d.index).record;
		const count = (name) => d.names.filter((n) => n.startsWith(name)).length;
		const deeds = r.local?.deeds ?? [];
		const room = 24 - count('span') - (r.said?.claims ?? []).length; // of a verdict with deeds; the others have a row only
		return count('span') === (r.span?.start ? 1 : 0) && count('claim') === Math.min(1, (r.said?.claims ?? []).length) &&
			count('run') + count('change') === Math.min(deeds.length, room) &&
			count('run') === deeds.filter((x) => x.program !== undefined).slice(0, room).length && count('attempt') === r.wire.attempts.length && count('candidate') === (r.wire.candidates ?? []).length ? [] : [`${d.index} (${d.names})`];
	});

	const deeds = page.drawings.flatMap(({ index, deeds: rows }) => {
		const r = listed.find((x) => x.index === index).record;
		const list = r.local?.deeds ?? [];
		const cut = (s) => printable([...s].slice(0, 240).join('')) + ([...s].length > 240 ? '…' : '');
		return list.length !== rows.length ? [`${index}: ${rows.length} rows`] : list.flatMap((d, i) => {
			const { values, times, text, links } = rows[i];
			const must = [cut(d.program ?? d.file), d.end, d.exitCode, d.signal, ...(d.what ?? [])].filter((x) => x !== undefined).map(String);
			const at = listed.findLast((x) => x.record?.id === d.id)?.index; // a run's end is a later record
			return must.every((m) => values.includes(m)) && times.join() === d.t && text.includes('decides') === (r.local.decides === d.id) &&
				(at === undefined ? links.length === 0 && values.includes(d.id) : links.join() === `#r-${at}`) ? [] : [`${index}, ${d.id}: ${values}`];
		});
	});

	const last = (payload.predicate.paths?.list ?? []).map((i) => listed.find((r) => r.index === i)).filter((r) => r?.record);
	const wrongPaths = last.filter((r) => {
		const got = page.paths.find((x) => x.index === r.index), legs = (r.record.legs ?? []).filter((l) => l && !Array.isArray(l)).slice(0, 64);
		const cut = (v) => printable([...String(v)].slice(0, 240).join('')) + ([...String(v)].length > 240 ? '…' : '');
		const must = legs.flatMap((l) => [l.peer, l.requestAckedBytes, l.outcome, ...(l.place?.labels ?? []).slice(0, 12).flatMap((x) => [x.region, x.home, x.table]),
			l.place?.bounds?.tcp?.withinKm, ...(l.place?.bounds?.tcp?.excluded ?? []), ...(l.claims ?? []).slice(0, 12).map((c) => c.says)])
			.concat(r.record.verdict, r.record.reason).filter((v) => v !== null && v !== undefined).map(cut);
		return !got || got.rows !== legs.length || must.some((m) => !got.values.includes(m)) || !got.links.includes(`#r-${r.index}`) ||
			got.maps !== (r.record.host && legs.some((l) => l.place?.bounds?.tcp || l.place?.bounds?.keyHolder) ? 1 : 0);
	});

	say('paths that say otherwise', page.paths.length !== last.length ? `${page.paths.length} of ${last.length}` : wrongPaths.map((r) => r.index).join() || 'none');
	say('deeds that are not shown', deeds.join('; ') || 'none');
	say('values that the report does not hold', foreign.length ? JSON.stringify(foreign.slice(0, 5)) : 'none');
	say('numbers of bars', page.bars.length && page.bars.every((n) => said.has(n)));
	say('enough values were looked at', page.values.length > 20 * verdicts.length);
	say('times', wrongTimes.length || page.times.length === 0 ? JSON.stringify(wrongTimes.slice(0, 5)) : 'as in the report');
	say('verdicts without a row', verdicts.filter((r) => page.rows.filter((row) => row.index === r.index).length !== 1).map((r) => r.index).join() || 'none');
	say('rows without a verdict', page.rows.filter((row) => !verdicts.some((r) => r.index === row.index)).map((r) => r.index).join() || 'none');
	say('rows that say otherwise', verdicts.filter((r) => r.record).filter((r) => {
		const row = page.rows.find((x) => x.index === r.index);
		return !row || must(r).some((m) => !row.values.includes(m)) || !row.links.includes(`#v-${r.index}`) || !row.links.includes(`#r-${r.index}`);
	}).map((r) => r.index).join() || 'none');
	say('excluded without its bound', page.rows.filter((r) => r.values.includes('excluded') && !r.text.includes('closed-world')).length);
	say('records that differ', listed.filter((r) => {
		const text = shown.get(`r-${r.index}`);
		return !shown.has(`r-${r.index}`) || (r.record ? JSON.stringify(JSON.parse(text)) !== JSON.stringify(r.record) : text !== undefined);
	}).map((r) => r.index).join() || 'none');
	say('drawings', drawn.length ? drawn.slice(0, 5).join('; ') : 'times of the records');
	say('lanes missing', lanes.join() || 'none');
	say('dead or foreign links', page.dead.join() || 'none');
	say('active content', page.active);
	say('policy', page.policy.replace(/sha256-[A-Za-z0-9+/=]+/, 'HASH'));
	say('completeness first', page.order[0]);
	say('tables without caption or headers', page.tables);
	say('drawings without description', page.undescribed);
	writeFileSync(words, page.words.join('\n') + '\n');
}

// --- the browser --------------------------------------------------------------------------------------------------------

const profile = mkdtempSync(tmpdir() + '/ww-page-');
const browser = await chromium.launchPersistentContext(profile, {
	executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, chromiumSandbox: false, colorScheme: 'light',
	args: ['--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'] });
try {
	const page = await browser.newPage();
	const heard = [];
	const asked = [];
	page.on('console', (m) => heard.push(m.text()));
	page.on('pageerror', (e) => heard.push(String(e)));
	page.on('dialog', (d) => heard.push(d.message()));
	page.on('request', (r) => asked.push(r.url()));
	await page.goto('file://' + file);
	compare(await page.evaluate(read));
	for (const [name, width, colorScheme] of [['light', 1200, 'light'], ['dark', 1200, 'dark'], ['narrow', 320, 'light']]) {
		await page.setViewportSize({ width, height: 1400 });
		await page.emulateMedia({ colorScheme });
		await page.evaluate(axe);
		const found = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
		say(`axe, ${name}`, found.violations.map((v) => `${v.id} (${v.nodes.length}: ${v.nodes[0].html.slice(0, 120)})`).join('; ') || `clean, ${found.passes.length > 10}`);
		say(`wider than ${width}`, await page.evaluate(() => document.documentElement.scrollWidth > innerWidth));
		await page.screenshot({ path: `${pictures}/${name}.png` });
	}
	await page.pdf({ path: `${pictures}/page.pdf`, preferCSSPageSize: true });
	say('PDF', statSync(`${pictures}/page.pdf`).size > 20000 && readFileSync(`${pictures}/page.pdf`).subarray(0, 5).toString());
	say('requests', asked.length === 1 && asked[0] === 'file://' + file ? 'the page only' : asked.join());
	say('console', heard.join('; ') || 'silent');
} finally {
	await browser.close();
	rmSync(profile, { recursive: true, force: true });
}
