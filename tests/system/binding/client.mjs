// SPDX-License-Identifier: Apache-2.0
// Requests with paths that occur once, /t/NAME-LETTERS, many at a time.
//   client.mjs https|fetch NAME COUNT
//   client.mjs late NAME COUNT FIFO     one request, then "ready", and COUNT more on the same connection when the FIFO is
//                                       opened for writing
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import https from 'node:https';

const [mode, name, count, fifo] = process.argv.slice(2);
const agent = new https.Agent({ keepAlive: true, maxSockets: mode === 'late' ? 1 : 10 });
const letters = (i) => String.fromCharCode(...[0, 1, 2, 3].map((n) => 97 + Math.floor(i / 26 ** n) % 26));
const path = (i, prefix = '') => `/t/${prefix}${name}-${letters(i)}${'x'.repeat(i % 7)}`;

async function by_https(i, prefix) {
	const req = https.request({ host: 'server.test', path: path(i, prefix), method: i % 2 ? 'POST' : 'GET', agent });

	req.end(i % 2 ? 'b'.repeat(i) : '');
	const [res] = await once(req, 'response');
	for await (const part of res)
		void part;
}

async function by_fetch(i) {
	await (await fetch(`https://server.test${path(i)}`, { headers: { 'accept-encoding': 'gzip' } })).text();
}

if (mode === 'late') {
	await by_https(0, 'before-');
	console.log('ready 0');
	readFileSync(fifo);
	for (let i = 0; i < Number(count); i++)
		await by_https(i);
} else {
	const one = mode === 'fetch' ? by_fetch : by_https;

	for (let at = 0; at < Number(count); at += 40)
		await Promise.all(Array.from({ length: Math.min(40, Number(count) - at) }, (_, i) => one(at + i)));
}
process.exit(0);
