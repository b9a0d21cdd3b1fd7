// The admin API: on the control socket, on its own listener, by the commands.
import { test, describe } from 'node:test';
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { Pki } from './lib/pki.mjs';
import { Provider } from './lib/provider.mjs';
import { Writ, KEYS, freePort, request, run } from './lib/writ.mjs';

const PASSPHRASE = 'correct horse battery staple';
const messages = [{ role: 'user', content: 'Hello' }];
const agents = '@id("agents")\npermit (principal is Writ::Agent, action, resource);\n';

async function node(tls) {
  const provider = await Provider.start();
  const adminPort = await freePort();
  const writ = await Writ.start({
    providers: { openai: { url: provider.url } },
    models: { small: '{routes: [{provider: openai, model: m}]}' },
    callers: { alice: { models: ['small'] } },
    more: `admin: {address: "127.0.0.1:${adminPort}"${tls ? `, ${tls}` : ''}}`,
    prepare: (w) => w.addPolicy('agents.cedar', agents),
  });
  writ.adminPort = adminPort;
  writ.adminUrl = `http://127.0.0.1:${adminPort}`;
  writ.commands = { env: { XDG_CONFIG_HOME: path.join(writ.dir, 'config') } };
  writ.secrets = [PASSPHRASE, KEYS.alice];
  return { provider, writ };
}

/** A command that speaks to the node's socket. */
async function command(writ, ...args) {
  const words = args.filter((a) => typeof a === 'string');
  const { input = '' } = args.find((a) => typeof a === 'object') ?? {};
  const where = words.includes('--admin') ? [] : ['--data', path.join(writ.dir, 'data')];
  return run([...words, ...where], { ...writ.commands, input });
}

async function ok(writ, ...args) {
  const { code, out, err } = await command(writ, ...args, '--json');
  assert.equal(code, 0, `${args.join(' ')}: ${err}${out}`);
  return JSON.parse(out);
}

/** A request to the admin listener. */
const ask = (writ, method, target, { body, token, headers = {} } = {}) => request({ port: writ.adminPort, path: target, method,
  headers: { ...headers, ...(token && { authorization: `Bearer ${token}` }) }, body: body && JSON.stringify(body) });

/** The one-time code of a step of the clock (RFC 6238). */
function totp(base32, step) {
  let bits = '';
  for (const c of base32) bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0');
  const secret = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = crypto.createHmac('sha1', secret).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1000000).padStart(6, '0');
}

/**
 * Enrols "ada" with the code of the step of now; that of the next one is good
 * for a login, even when the clock has gone on by a step meanwhile.
 */
async function enrol(writ) {
  const { code } = await ok(writ, 'login', '--invite');
  const step = Math.floor(Date.now() / 30000);
  const begun = await ask(writ, 'POST', '/admin/v1/enrol', { body: { code, name: 'ada', passphrase: PASSPHRASE } });
  assert.equal(begun.status, 200, begun.body);
  const { secret } = JSON.parse(begun.body).totp;
  const done = await ask(writ, 'POST', '/admin/v1/enrol', { body: { code, name: 'ada', passphrase: PASSPHRASE, totp: totp(secret, step) } });
  assert.equal(done.status, 201, done.body);
  const { token } = JSON.parse(done.body);
  writ.secrets.push(secret, token, code);
  return { secret, token, code, next: totp(secret, step + 1) };
}

/** What is secret stands in no log, in no evidence and not in the store. */
async function finish({ writ, provider }) {
  await writ.stop();
  const kept = [writ.stderr];
  for (const f of await fs.readdir(path.join(writ.dir, 'data'), { recursive: true })) {
    const file = path.join(writ.dir, 'data', f);
    if ((await fs.stat(file)).isFile()) kept.push(await fs.readFile(file, 'latin1'));
  }
  for (const secret of writ.secrets)
    for (const text of kept) assert.ok(!text.includes(secret), `found a secret: ${secret.slice(0, 12)}...`);
  await writ.finish();
  await provider.stop();
}

const call = (writ, key) => request({ port: writ.port, path: '/v1/chat/completions', method: 'POST',
  headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify({ model: 'small', messages }) });

describe('admin', () => {
  test('an agent is added, used, suspended, resumed, given a new key and retired', async () => {
    const n = await node();
    const { writ } = n;
    const person = await ok(writ, 'agent', 'add', 'carol', '--kind', 'human', '--tenant', 'acme', '--expires', '30d');
    const added = await ok(writ, 'agent', 'add', 'writer', '--tenant', 'acme', '--owner', 'carol', '--purpose', 'support,tests',
      '--mode', 'autonomous', '--expires', '30d', '--reason', 'for the tests');
    assert.match(added.key, /^writ_[0-9A-Za-z]{43}$/);
    assert.equal(added.agent.owner, 'keys|carol');
    assert.deepEqual(added.agent.purposes, ['support', 'tests']);
    writ.secrets.push(person.key, added.key);
    assert.equal((await call(writ, added.key)).status, 200);

    const suspended = await ok(writ, 'agent', 'suspend', 'acme/writer', '--reason', 'it was stolen');
    assert.equal(suspended.agent.state, 'suspended');
    assert.equal(suspended.durable, true);
    assert.equal((await call(writ, added.key)).status, 401);
    await ok(writ, 'agent', 'resume', 'acme/writer');
    assert.equal((await call(writ, added.key)).status, 200);

    const rotated = await ok(writ, 'agent', 'rotate', 'acme/writer', '--grace', '0');
    writ.secrets.push(rotated.key);
    assert.equal((await call(writ, added.key)).status, 401);
    assert.equal((await call(writ, rotated.key)).status, 200);

    const list = await ok(writ, 'agent', 'list', '--kind', 'agent');
    assert.deepEqual(list.agents.map((a) => a.id), ['acme/writer']);
    assert.equal((await command(writ, 'agent', 'list')).out.split('\n')[0].split(/ +/)[0], 'ID');
    assert.equal((await ok(writ, 'agent', 'show', 'acme/writer')).state, 'active');

    await ok(writ, 'agent', 'retire', 'acme/writer');
    assert.equal((await call(writ, rotated.key)).status, 401);
    const again = await command(writ, 'agent', 'resume', 'acme/writer');
    assert.equal(again.code, 1);
    assert.match(again.err, /retired/);

    const entries = (await writ.entries()).filter((e) => e.subject?.id === 'acme/writer');
    assert.deepEqual(entries.map((e) => [e.kind, e.event]), [['admin', 'add'], ['revocation', 'suspend'], ['admin', 'resume'],
      ['admin', 'rotate'], ['revocation', 'retire']]);
    for (const e of entries) {
      assert.deepEqual(e.author, { id: `local|uid:${process.getuid()}`, method: 'peer' });
      assert.equal(e.registry.id, 'acme/writer');
    }
    assert.equal(entries[0].detail, 'for the tests');
    assert.equal(entries[1].registry.state, 'suspended');
    const refused = (await writ.entries()).filter((e) => e.kind === 'refusal' && e.resource?.type === 'Endpoint');
    assert.equal(refused.at(-1).error.code, 'conflict');
    await finish(n);
  });

  test('what was changed is so after the node was killed', async () => {
    const n = await node();
    const { writ } = n;
    await ok(writ, 'agent', 'suspend', 'keys|alice', '--kind', 'application');
    assert.equal((await call(writ, KEYS.alice)).status, 401);
    writ.restartsExpected = true;
    const pid = await writ.pid('gateway');
    process.kill(pid, 'SIGKILL');
    await writ.until(async () => (await writ.status().catch(() => null))?.processes.some((p) => p.process === 'gateway' && p.pid !== pid) &&
      (await writ.healthy()), 15000, 'back');
    await writ.until(async () => (await call(writ, KEYS.alice).catch(() => null))?.status === 401, 5000, 'refused');
    await ok(writ, 'agent', 'resume', 'keys|alice', '--kind', 'application');
    assert.equal((await call(writ, KEYS.alice)).status, 200);
    await finish(n);
  });

  test('what the store has lost comes back from the evidence', async () => {
    const n = await node();
    const { writ } = n;
    await ok(writ, 'agent', 'add', 'writer', '--tenant', 'acme', '--owner', 'owner-acme', '--purpose', 'p', '--mode', 'autonomous', '--expires', '30d');
    await ok(writ, 'agent', 'suspend', 'acme/writer');
    const before = (await ok(writ, 'agent', 'list')).agents;
    await writ.stop();
    for (const name of ['store.db', 'store.db-wal', 'store.db-shm']) await fs.rm(path.join(writ.dir, 'data', name), { force: true });
    writ.ended = false;
    await writ.launch();
    assert.deepEqual((await ok(writ, 'agent', 'list')).agents, before);
    assert.equal((await call(writ, KEYS.alice)).status, 200);
    await finish(n);
  });

  test('a session is listed and ended', async () => {
    const n = await node();
    const { writ } = n;
    assert.equal((await call(writ, KEYS.alice)).status, 200);
    const [session] = (await ok(writ, 'session', 'list')).sessions;
    assert.match(session.id, /^[0-9a-f]{32}$/);
    assert.deepEqual(await ok(writ, 'session', 'end', session.id, '--reason', 'over'), { durable: true, ended: true, session: session.id });
    assert.deepEqual((await ok(writ, 'session', 'list')).sessions, []);
    assert.equal((await command(writ, 'session', 'end', session.id)).code, 1);
    const [entry] = (await writ.entries()).filter((e) => e.kind === 'revocation');
    assert.deepEqual(entry.subject, { id: session.id, type: 'Session' });
    assert.equal((await call(writ, KEYS.alice)).status, 200); // in a new one
    assert.notEqual((await ok(writ, 'session', 'list')).sessions[0].id, session.id);
    await finish(n);
  });

  test('rule_33 the admin plane looks at nobody who is unknown or comes from another site', async () => {
    const n = await node();
    const { writ } = n;
    const { token } = await enrol(writ);
    for (const target of ['status', 'agents', 'agents/acme/x', 'sessions', 'budgets', 'nothing'])
      assert.equal((await ask(writ, 'GET', `/admin/v1/${target}`)).status, 401, target);
    assert.equal((await ask(writ, 'POST', '/admin/v1/agents', { body: { name: 'x' } })).status, 401);
    assert.equal((await ask(writ, 'GET', '/metrics')).status, 401);
    assert.equal((await ask(writ, 'GET', '/admin/v1/status', { headers: { cookie: `token=${token}` } })).status, 401);
    assert.equal((await ask(writ, 'GET', '/admin/v1/status', { token: `${token.slice(0, -1)}x` })).status, 401);
    for (const name of ['healthz', 'readyz']) {
      const res = await ask(writ, 'GET', `/${name}`);
      assert.deepEqual([res.status, res.body.split('\n').length], [200, 2], name);
    }

    assert.equal((await ask(writ, 'GET', '/admin/v1/status', { token })).status, 200);
    assert.equal((await ask(writ, 'GET', '/admin/v1/status', { token, headers: { host: `localhost:${writ.adminPort}` } })).status, 200);
    for (const headers of [{ host: `evil.example:${writ.adminPort}` }, { host: '127.0.0.1' }, { origin: 'https://evil.example' }, { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }]) {
      const res = await ask(writ, 'GET', '/admin/v1/status', { token, headers });
      assert.equal(res.status, 403, JSON.stringify(headers));
      assert.equal(JSON.parse(res.body).code, 'denied');
    }
    assert.equal((await ask(writ, 'GET', '/admin/v1/status', { token, headers: { origin: writ.adminUrl, 'sec-fetch-site': 'same-origin' } })).status, 200);

    // What is governed does not reach it, and no caller's key opens it.
    assert.equal((await ask(writ, 'GET', '/admin/v1/status', { token: KEYS.alice })).status, 401);
    for (const target of ['/admin/v1/status', '/metrics', '/readyz'])
      assert.equal((await request({ port: writ.port, path: target, headers: { authorization: `Bearer ${token}` } })).status, 404);
    const bad = path.join(writ.dir, 'bad.yaml');
    await fs.writeFile(bad, (await fs.readFile(writ.file, 'utf8')).replace(n.provider.url, `http://localhost:${writ.adminPort}`));
    const check = await run(['check', '--config', bad], { env: writ.env, cwd: writ.dir });
    assert.equal(check.code, 1);
    assert.match(check.err, /admin address/);
    await finish(n);
  });

  test('a person is enrolled once, logs in, and is the author of what they do', async () => {
    const n = await node();
    const { writ } = n;
    const { secret, token, code, next } = await enrol(writ);
    const used = await ask(writ, 'POST', '/admin/v1/enrol', { body: { code, name: 'eve', passphrase: PASSPHRASE } });
    assert.equal(used.status, 401);

    // The same answer for whatever is wrong.
    const answers = new Set();
    for (const body of [{ name: 'nobody', passphrase: PASSPHRASE, totp: next }, { name: 'ada', passphrase: 'wrong horse battery', totp: next },
      { name: 'ada', passphrase: PASSPHRASE, totp: '000000' === next ? '000001' : '000000' }]) {
      const res = await ask(writ, 'POST', '/admin/v1/login', { body });
      answers.add(`${res.status} ${res.body} ${JSON.stringify({ ...res.headers, date: 0 })}`);
    }
    assert.equal(answers.size, 1, [...answers].join('\n'));
    assert.match([...answers][0], /^401 .*invalid_credential/);

    const login = await command(writ, 'login', '--admin', writ.adminUrl, '--name', 'ada', { input: `${PASSPHRASE}\n${next}\n` });
    assert.equal(login.code, 0, login.err);
    const folder = path.join(writ.dir, 'config', 'writ');
    const [file] = await fs.readdir(folder);
    assert.equal((await fs.stat(path.join(folder, file))).mode & 0o777, 0o600);
    assert.equal((await fs.stat(folder)).mode & 0o777, 0o700);
    writ.secrets.push(await fs.readFile(path.join(folder, file), 'utf8'));
    const replayed = await command(writ, 'login', '--admin', writ.adminUrl, '--name', 'ada', { input: `${PASSPHRASE}\n${next}\n` });
    assert.equal(replayed.code, 1); // a code is taken once

    const added = await ok(writ, 'agent', 'add', 'writer', '--tenant', 'acme', '--owner', 'local|ada', '--purpose', 'p', '--mode', 'autonomous',
      '--expires', '30d', '--admin', writ.adminUrl);
    writ.secrets.push(added.key);
    assert.equal((await call(writ, added.key)).status, 200);
    const byAda = (await writ.entries()).find((e) => e.event === 'add' && e.subject.id === 'acme/writer');
    assert.deepEqual(byAda.author, { id: 'local|ada', method: 'login' });

    // Suspended, neither the person nor what they own may act.
    await ok(writ, 'agent', 'suspend', 'local|ada');
    assert.equal((await ask(writ, 'GET', '/admin/v1/status', { token })).status, 401);
    assert.equal((await call(writ, added.key)).status, 403);
    await ok(writ, 'agent', 'resume', 'local|ada');
    assert.equal((await ask(writ, 'GET', '/admin/v1/status', { token })).status, 200);
    assert.equal((await ask(writ, 'POST', '/admin/v1/logout', { token })).status, 200);
    assert.equal((await ask(writ, 'GET', '/admin/v1/status', { token })).status, 401);
    assert.equal((await command(writ, 'login', '--logout', '--admin', writ.adminUrl)).code, 0);
    assert.deepEqual(await fs.readdir(folder), []);
    assert.ok(secret.length === 32);
    await finish(n);
  });

  test('who guesses has to wait', async () => {
    const n = await node();
    const { writ } = n;
    let res;
    for (let i = 0; i < 12 && res?.status !== 429; i++)
      res = await ask(writ, 'POST', '/admin/v1/login', { body: { name: 'nobody', passphrase: 'wrong horse battery', totp: '000000' } });
    assert.equal(res.status, 429);
    assert.equal((await ask(writ, 'POST', '/admin/v1/login', { body: { name: 'other', passphrase: 'wrong horse battery', totp: '000000' } })).status, 429);
    await ok(writ, 'agent', 'list'); // the socket is not affected
    await finish(n);
  });

  test('figures are there for who is known', async () => {
    const n = await node();
    const { writ } = n;
    await call(writ, KEYS.alice);
    const { token } = await enrol(writ);
    const res = await ask(writ, 'GET', '/metrics', { token });
    assert.equal(res.status, 200);
    assert.match(res.headers['content-type'], /^text\/plain; version=0\.0\.4/);
    assert.match(res.body, /^writ_calls_total 1$/m);
    assert.match(res.body, /^writ_registry_identities\{state="active"\} 3$/m);
    assert.match(res.body, /^writ_process_restarts_total\{process="gateway"\} 0$/m);
    for (const line of res.body.trim().split('\n')) assert.match(line, /^(# (HELP|TYPE) |[a-z_]+(\{[^}]*\})? [0-9]+$)/);
    await finish(n);
  });

  test('what a body says too much or wrongly is named', async () => {
    const n = await node();
    const { writ } = n;
    const rows = [
      [{ name: 'x', expires: '1d', nmae: 1 }, 'unknown_field', 'nmae'], [{ expires: '1d' }, 'malformed', 'name'],
      [{ name: 'x', expires: 'never', tenant: 'acme' }, 'malformed', 'expires'], [{ name: 'x', expires: '1d', tenant: 'none' }, 'malformed', 'tenant'],
      [{ name: 'x', expires: '1d', tenant: 'acme', mode: 'free' }, 'malformed', 'mode'],
      [{ name: 'x', expires: '1d', tenant: 'acme', purposes: ['p'] }, 'malformed', undefined],
    ];
    for (const [body, code, param] of rows) {
      const res = await writ.admin('POST', 'agents', body);
      assert.equal(res.status, 400);
      assert.equal(res.headers['content-type'], 'application/problem+json');
      const problem = JSON.parse(res.body);
      assert.deepEqual([problem.code, problem.param, problem.status], [code, param, 400], res.body);
    }
    await finish(n);
  });

  test('the listener speaks TLS where the configuration says so', async () => {
    const pki = await Pki.make();
    pki.authority('ca');
    pki.issue('server', { authority: 'ca' });
    const n = await node(`tls: {cert: "${pki.file('server.crt')}", key: "${pki.file('server.key')}"}`);
    const { writ } = n;
    writ.adminUrl = `https://localhost:${writ.adminPort}`;
    const { code } = await ok(writ, 'login', '--invite');
    const at = ['--admin', writ.adminUrl, '--ca', pki.file('ca.crt')];
    const refused = await command(writ, 'agent', 'list', '--admin', writ.adminUrl);
    assert.equal(refused.code, 1); // nobody we know has signed that
    const { err } = await command(writ, 'login', '--enrol', '--name', 'ada', ...at, { input: `${code}\n${PASSPHRASE}\n000000\n` });
    assert.match(err, /the one-time code is wrong/); // it got that far
    assert.match((await command(writ, 'agent', 'list', ...at)).err, /nobody is logged in/);
    await pki.remove();
    await finish(n);
  });

  test('without a node a command says how to start one', async () => {
    const n = await node();
    await n.writ.stop();
    for (const words of [['agent', 'list'], ['session', 'list'], ['budget', 'list'], ['login', '--invite']]) {
      const { code, err } = await command(n.writ, ...words);
      assert.equal(code, 1);
      assert.match(err, /no node runs on .*writ serve/);
    }
    assert.equal((await run(['agent', 'add', 'x'])).code, 2);
    assert.equal((await run(['login', '--nam', 'ada'])).code, 2);
    assert.match((await run(['login'], { input: 'ada\n' })).err, /writ\.yaml/);
    await n.provider.stop();
    await n.writ.finish();
  });

  test('who guesses locks out nobody who is known', async () => {
    const n = await node();
    const { writ } = n;
    const { next } = await enrol(writ);
    const login = (localAddress, passphrase, code = '000000') => new Promise((resolve, reject) => {
      const req = http.request({ host: '127.0.0.1', port: writ.adminPort, localAddress, path: '/admin/v1/login', method: 'POST', agent: false }, (res) => {
        res.resume();
        res.on('end', () => resolve(res.statusCode));
      });
      req.on('error', reject);
      req.end(JSON.stringify({ name: 'ada', passphrase, totp: code }));
    });
    assert.equal(await login('127.0.0.1', PASSPHRASE, next), 200);
    const guesses = [];
    for (let i = 0; i < 7; i++) guesses.push(await login('127.0.0.2', 'a guess of somebody'));
    assert.deepEqual(guesses.slice(0, 5), [401, 401, 401, 401, 401]);
    assert.deepEqual(guesses.slice(5), [429, 429]);
    assert.equal(await login('127.0.0.3', 'a guess of somebody'), 429); // the name is locked, too
    assert.equal(await login('127.0.0.1', 'mistyped by herself'), 401); // but not for her
    const logins = (await writ.entries()).filter((e) => e.event === 'login');
    assert.deepEqual(logins.map((e) => [e.kind, e.author.id, e.subject.id, e.detail]), [['admin', 'local|ada', 'local|ada', '127.0.0.1']]);
    await finish(n);
  });

  test('rule_21_who_sends_slowly_is_looked_at_when_all_is_there', async () => {
    const n = await node();
    const { writ } = n;
    const { token } = await enrol(writ);
    const body = JSON.stringify({ reason: 'too late' });
    const answer = new Promise((resolve, reject) => {
      const req = http.request({ host: '127.0.0.1', port: writ.adminPort, path: '/admin/v1/agents/keys%7Calice/suspend', method: 'POST', agent: false,
        headers: { authorization: `Bearer ${token}`, 'content-length': body.length } }, (res) => {
        res.resume();
        res.on('end', () => resolve(res.statusCode));
      });
      req.on('error', reject);
      req.write(body.slice(0, 5));
      ask(writ, 'GET', '/admin/v1/status', { token }).then(async (r) => {
        assert.equal(r.status, 200);
        assert.equal((await ask(writ, 'POST', '/admin/v1/logout', { token })).status, 200);
        req.end(body.slice(5));
      }).catch(reject);
    });
    assert.equal(await answer, 401);
    assert.equal((await call(writ, KEYS.alice)).status, 200);
    await finish(n);
  });
});
