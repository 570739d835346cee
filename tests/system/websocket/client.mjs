// SPDX-License-Identifier: Apache-2.0
// node client.mjs ORIGIN PACKAGES: talks to server.mjs over a connection per path: messages of all sizes, in parts with pings
// between, one beyond what is kept; ends of all kinds. The connections of a list are open at once. Says what was echoed wrongly.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [origin, packages] = process.argv.slice(2);
const { WebSocket } = createRequire(`${packages}/x.js`)('ws');
const ca = readFileSync(process.env.CA_FILE);
let wrong = 0;
const words = (n) => 'data: {"delta": "the quick brown fox"} '.repeat(n / 39 + 1).slice(0, n);

async function open(path) {
	const socket = new WebSocket(origin + path, { ca, perMessageDeflate: { threshold: 0, concurrencyLimit: 1 }, maxPayload: 16 << 20 });

	await once(socket, 'open');
	return socket;
}

// One message, in so many parts with a ping behind each but the last; waits for its echo.
async function say(socket, content, parts = 1) {
	const echo = once(socket, 'message'), binary = typeof content !== 'string', size = Math.ceil(content.length / parts);

	for (let i = 0; i < parts; i++) {
		socket.send(content.slice(i * size, (i + 1) * size), { binary, fin: i === parts - 1 });
		if (i < parts - 1)
			socket.ping('part');
	}
	const [got] = await echo;
	if (!got.equals(Buffer.from(content)))
		wrong++;
}

async function talk(path) {
	const socket = await open(path);

	for (const n of [0, 1, 125, 126, 4096, 65535, 65536, 300000])
		await say(socket, words(n));
	for (const n of [0, 7, 20000, 70000])
		await say(socket, randomBytes(n));
	await say(socket, words(5000), 5);
	await say(socket, 'parts ' + words(9000));
	await say(socket, 'Grüße, 世界');
	const ping = once(socket, 'ping');
	await say(socket, 'ping');
	await ping;
	return socket;
}

async function left(socket, act) {
	const closed = once(socket, 'close');

	act();
	await closed;
}

await Promise.all(['/plain', '/deflate', '/fresh', '/narrow', '/server-fresh'].map(async (path) => {
	const socket = await talk(path);

	await left(socket, () => socket.close(1000, 'done'));
}));
let socket = await talk('/deflate-left');
await left(socket, () => socket.send('leave 4001'));
socket = await talk('/plain-left');
await left(socket, () => socket.send('leave 1001'));
socket = await open('/plain-silent');
await left(socket, () => socket.close());
for (const path of ['/plain-large', '/deflate-large']) {
	socket = await open(path);
	await say(socket, 'before');
	await say(socket, randomBytes(3 << 20));
	await say(socket, 'behind');
	await left(socket, () => socket.close(1000));
}
socket = await talk('/deflate-dropped');
await left(socket, () => socket.terminate());
process.stdout.write(`${wrong} wrong echoes\n`);
