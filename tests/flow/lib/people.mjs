// people.mjs - people with accounts on a node, who log in and decide.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import path from 'node:path';
import { run } from './writ.mjs';

export const PASSPHRASE = 'correct horse battery staple';

/** The one-time code of a step of the clock (RFC 6238). */
function totp(base32, step) {
  let bits = '';
  for (const c of base32) bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0');
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = crypto.createHmac('sha1', Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1000000).padStart(6, '0');
}

/** A command that speaks to the node's socket, of somebody with a home of their own. */
export const command = (writ, who, words, input = '') => run([...words, '--data', path.join(writ.dir, 'data')],
  { env: { XDG_CONFIG_HOME: path.join(writ.dir, `home-${who}`) }, input });

export async function ok(writ, who, ...words) {
  const { code, out, err } = await command(writ, who, [...words, '--json']);
  assert.equal(code, 0, `${words.join(' ')}: ${err}${out}`);
  return JSON.parse(out);
}

/** An account, and a login over the socket that the commands of `who` use. */
export async function person(writ, who) {
  const { code } = await ok(writ, who, 'login', '--invite');
  const step = Math.floor(Date.now() / 30000);
  const begun = await writ.admin('POST', 'enrol', { code, name: who, passphrase: PASSPHRASE });
  assert.equal(begun.status, 200, begun.body);
  const { secret } = JSON.parse(begun.body).totp;
  const done = await writ.admin('POST', 'enrol', { code, name: who, passphrase: PASSPHRASE, totp: totp(secret, step) });
  assert.equal(done.status, 201, done.body);
  // The code of the next step is good as well, also when the clock has gone on meanwhile.
  const login = await command(writ, who, ['login', '--name', who], `${PASSPHRASE}\n${totp(secret, step + 1)}\n`);
  assert.equal(login.code, 0, login.err);
}

export const list = async (writ, state) => JSON.parse((await writ.admin('GET', `approvals?state=${state}`)).body).approvals;

/** The only ticket that is open, once there is one. */
export async function ticket(writ) {
  const open = await writ.until(async () => {
    const all = await list(writ, 'open');
    return all.length > 0 && all;
  }, 10000, 'asked');
  assert.equal(open.length, 1);
  return open[0];
}
