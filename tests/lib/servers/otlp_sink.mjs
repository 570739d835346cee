// SPDX-License-Identifier: Apache-2.0
// Takes OTLP/HTTP posts and keeps each body as DIR/NNN.pb or NNN.json: a stand-in receiver for checks of the agents.
//   node otlp_sink.mjs DIR [PORT]      prints "ready PORT", stops on SIGTERM
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { gunzipSync } from 'node:zlib';

const [dir, port = '0'] = process.argv.slice(2);
let count = 0;

const server = http.createServer((req, res) => {
	const parts = [];

	req.on('data', (part) => parts.push(part));
	req.on('end', () => {
		const json = req.headers['content-type'] === 'application/json';
		let body = Buffer.concat(parts);

		if (req.headers['content-encoding'] === 'gzip')
			body = gunzipSync(body);
		if (req.method !== 'POST' || req.url !== '/v1/traces') {
			res.writeHead(404).end();
			return;
		}
		writeFileSync(`${dir}/${String(++count).padStart(3, '0')}.${json ? 'json' : 'pb'}`, body);
		res.writeHead(200, { 'content-type': req.headers['content-type'] }).end(json ? '{}' : '');
	});
});

process.on('SIGTERM', () => process.exit(0));
server.listen(Number(port), '127.0.0.1', () => process.stdout.write(`ready ${server.address().port}\n`));
