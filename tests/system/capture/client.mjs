// SPDX-License-Identifier: Apache-2.0
// client.mjs PORT COUNT: the same exchanges as traffic.py tls-client, from Node: its own copy of OpenSSL, memory BIOs,
// connections side by side. They end by FIN from here and from the server in turn.
import tls from 'node:tls';

const [port, count] = process.argv.slice(2).map(Number);

function head(n, m, how) {
	const b = Buffer.alloc(12 + n, n % 251);
	b.writeUInt32BE(n, 0);
	b.writeUInt32BE(m, 4);
	b.writeUInt32BE(how, 8);
	return b;
}

function one(i) {
	return new Promise((done, fail) => {
		const mode = i % 2 ? 0 : 2;
		const sizes = [[i, 10 + i], [3000 * i, 1], [100, 70000], [17000, 5 + i]];
		let at = 0, left = 0;
		const next = () => {
			const [n, m] = sizes[at++];
			left = m;
			socket.write(head(n, m, mode | (at === sizes.length ? 4 : 0)));
		};
		const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, allowHalfOpen: true }, next);
		socket.on('error', fail);
		socket.on('close', () => done());
		socket.on('data', (d) => {
			left -= d.length;
			if (left > 0) return;
			if (at < sizes.length) next();
			else if (mode === 0) socket.end();
		});
		socket.on('end', () => socket.end());
	});
}

await Promise.all(Array.from({ length: count }, (_, i) => one(i)));
