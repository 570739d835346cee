// SPDX-License-Identifier: Apache-2.0
// node client.mjs PORT TRUTH: as client.py, by getaddrinfo() of the C library and by c-ares.
import { appendFileSync } from 'node:fs';
import dns from 'node:dns/promises';
import net from 'node:net';

const [port, truth] = process.argv.slice(2);

async function connect(address, names) {
	const socket = net.connect({ host: address, port });

	await new Promise((done, failed) => socket.once('connect', done).once('error', failed));
	const local = socket.localPort;

	socket.destroy();
	appendFileSync(truth, `${JSON.stringify({ pid: process.pid, local, peer: address, names, to: 'process' })}\n`);
}

await connect((await dns.lookup('node.test', { family: 4 })).address, ['node.test']);
const cares = new dns.Resolver({ timeout: 30000, tries: 1 }); // asked once, however slow the machine is

await connect((await cares.resolve4('cares.test'))[0], ['cares.test']);
