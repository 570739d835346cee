// SPDX-License-Identifier: Apache-2.0
// Checks bundles with both generations of @sigstore/verify, under the trust root that the product writes.
//   sigstore.mjs NPM TRUSTROOT VKEY verify STAMPS BUNDLE        one line per version: ok, or what it says
//   sigstore.mjs NPM TRUSTROOT VKEY tamper STAMPS BUNDLE OUT    every case changed, as OUT/<case>.json; a line each with
//                                                               what the two say
// VKEY is the one key that may have signed, or "roots": those of the trust root, each in its own time.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createPublicKey } from 'node:crypto';

const [npm, rootFile, vkeyFile, what, stamps, bundleFile, out] = process.argv.slice(2);
const require = createRequire(npm + '/');
const { TrustedRoot } = require('@sigstore/protobuf-specs');
const generations = [['sigstore-verify-3', 'sigstore-bundle-4'], ['sigstore-verify-4', 'sigstore-bundle-5']];

const trusted = TrustedRoot.fromJSON(JSON.parse(readFileSync(rootFile, 'utf8')));
function onlyKey() {
	const vkey = readFileSync(vkeyFile, 'utf8').trim();
	const raw = Buffer.from(vkey.split('+').slice(2).join('+'), 'base64').subarray(1);
	const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]);
	const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
	return () => ({ publicKey, validFor: () => true });
}
const hint = (log) => `${log.baseUrl.replace('https://', '')}+${Buffer.from(log.logId.keyId).toString('hex', 0, 4)}`;
const keys = vkeyFile === 'roots' ? Object.fromEntries(trusted.tlogs.map((log) => [hint(log), log.publicKey])) : onlyKey();

function verify([verifyName, bundleName], json) {
	const { bundleFromJSON } = require(bundleName);
	const { Verifier, toSignedEntity, toTrustMaterial } = require(verifyName);
	const material = toTrustMaterial(trusted, keys);
	const verifier = new Verifier(material, { ctlogThreshold: 0, tlogThreshold: 1, timestampThreshold: Number(stamps), tsaThreshold: Number(stamps) });
	try {
		verifier.verify(toSignedEntity(bundleFromJSON(json)));
		return 'ok';
	} catch (e) {
		return `refused (${e.code ?? e.message})`;
	}
}

const version = (name) => require(`${name}/package.json`).version;
const load = () => JSON.parse(readFileSync(bundleFile, 'utf8'));

// One bit of a base64 text's middle byte.
function flip(text) {
	const b = Buffer.from(text, 'base64');
	b[b.length >> 1] ^= 1;
	return b.toString('base64');
}
const entry = (b) => b.verificationMaterial.tlogEntries[0];
const proof = (b) => entry(b).inclusionProof;
// Inside the canonicalized body, which is JSON.
function body(b, change) {
	const value = JSON.parse(Buffer.from(entry(b).canonicalizedBody, 'base64').toString());
	change(value.spec.dsseV002);
	entry(b).canonicalizedBody = Buffer.from(JSON.stringify(value)).toString('base64');
}
const cases = {
	signature: (b) => { b.dsseEnvelope.signatures[0].sig = flip(b.dsseEnvelope.signatures[0].sig); },
	payload: (b) => { b.dsseEnvelope.payload = flip(b.dsseEnvelope.payload); },
	'payload-type': (b) => { b.dsseEnvelope.payloadType = 'application/json'; },
	'body-byte': (b) => { entry(b).canonicalizedBody = flip(entry(b).canonicalizedBody); },
	'body-hash': (b) => body(b, (d) => { d.payloadHash.digest = flip(d.payloadHash.digest); }),
	'body-signature': (b) => body(b, (d) => { d.signatures[0].content = flip(d.signatures[0].content); }),
	'checkpoint-size': (b) => { proof(b).checkpoint.envelope = proof(b).checkpoint.envelope.replace(/\n(\d+)\n/, (_, n) => `\n${Number(n) + 1}\n`); },
	'checkpoint-root': (b) => { proof(b).checkpoint.envelope = proof(b).checkpoint.envelope.replace(/\n([A-Za-z0-9+/=]{44})\n/, (_, h) => `\n${flip(h)}\n`); },
	'checkpoint-signature': (b) => { proof(b).checkpoint.envelope = proof(b).checkpoint.envelope.replace(/ ([A-Za-z0-9+/=]+)\n$/, (_, s) => ` ${flip(s)}\n`); },
	'proof-hash': (b) => { proof(b).hashes[0] = flip(proof(b).hashes[0]); },
	'proof-short': (b) => { proof(b).hashes.pop(); },
	'proof-index': (b) => { proof(b).logIndex = String(BigInt(proof(b).logIndex) - 1n); },
	'log-id': (b) => { entry(b).logId.keyId = flip(entry(b).logId.keyId); },
	'no-entry': (b) => { b.verificationMaterial.tlogEntries = []; },
	'entry-kind': (b) => { entry(b).kindVersion.kind = 'hashedrekord'; },
};
if (Number(stamps))
	cases['time-stamp'] = (b) => {
		const t = b.verificationMaterial.timestampVerificationData.rfc3161Timestamps[0];
		const bytes = Buffer.from(t.signedTimestamp, 'base64');
		bytes[bytes.length - 4] ^= 1;
		t.signedTimestamp = bytes.toString('base64');
	};
// What those verifiers do not look at.
const unseen = {
	'unseen-root-hash': (b) => { proof(b).rootHash = flip(proof(b).rootHash); },
	'unseen-log-index': (b) => { entry(b).logIndex = String(BigInt(entry(b).logIndex) + 1n); },
};

if (what === 'verify') {
	for (const g of generations)
		console.log(`${version(g[0])} ${verify(g, load())}`);
} else {
	for (const [name, change] of Object.entries({ ...cases, ...unseen })) {
		const b = load();
		change(b);
		writeFileSync(`${out}/${name}.json`, JSON.stringify(b));
		console.log(name, ...generations.map((g) => verify(g, b).replace(/ .*/, '')));
	}
}
