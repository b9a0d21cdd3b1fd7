// What somebody tries first: the tour of `make run`, the quickstart example,
// and a first configuration of one's own.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import OpenAI from 'openai';
import { connect } from './lib/mcp.mjs';
import { BIN, freePort, request, run } from './lib/writ.mjs';

const messages = [{ role: 'user', content: 'Hello' }];
const example = path.resolve(import.meta.dirname, '../../examples/quickstart');
let dir;

before(async () => { dir = await fs.mkdtemp(path.join(os.tmpdir(), 'writ-first-')); });
after(() => fs.rm(dir, { recursive: true, force: true }));

/** Starts something; resolves to the child when what it writes matches `ready`. */
async function start(file, args, { ready, env = {} }) {
  const child = spawn(file, args, { cwd: dir, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  child.text = '';
  child.ended = once(child, 'close');
  process.on('exit', () => child.kill('SIGKILL'));
  const seen = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (s) => {
        child.text += s;
        if (ready.test(child.text)) resolve(true);
      });
    }
  });
  if (!await Promise.race([seen, child.ended.then(() => false)])) throw new Error(`it ended:\n${child.text}`);
  return child;
}

async function stop(child) {
  child.kill('SIGTERM');
  return (await child.ended)[0];
}

const key = (text) => text.match(/\bwrit_[0-9A-Za-z]{43}\b/)?.[0];
const client = (port, apiKey) => new OpenAI({ apiKey, baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 });

/** Registers a person and an agent, as the pages say; resolves to the agent's key. */
async function register(config, tenant, owner, agent, ...more) {
  const common = ['--tenant', tenant, '--expires', '30d', '-c', config];
  const person = await run(['agent', 'add', owner, '--kind', 'human', '--purpose', 'operations', ...common]);
  assert.equal(person.code, 0, person.err);
  const added = await run(['agent', 'add', agent, '--owner', owner, '--purpose', 'research', '--mode', 'autonomous', ...more, ...common]);
  assert.equal(added.code, 0, added.err);
  return key(added.out);
}

describe('writ demo', () => {
  test('walks through, and is over', async () => {
    const folder = path.join(dir, 'walk');
    const { code, out, err } = await run(['demo', '--dir', folder, '--port', String(await freePort())]);
    assert.equal(code, 0, out + err);
    assert.deepEqual(out.match(/^\d+(?=\. )/gm), Array.from({ length: 14 }, (_, i) => String(i + 1)), out);
    assert.doesNotMatch(out, /WRONG|\x1b/);
    assert.match(err, /^writ: login: this takes a person who has logged in/); // root alone is nobody
    // Each is what its step is about.
    for (const what of [/written down before it happened/, /outcome .* ok 200 +12\+18 /, /^decision: deny, no policy permits it$/m,
      /^decision: allow, by "research on large models"$/m, /^shadow: deny, by "no agent on large models"$/m,
      /^429 .* retry-after: [1-9]/m, /^large models +agent:acme\/notebook .* 150 of 200/m, /^state +suspended$/m,
      /^\{"error":.*"code":"revoked"\}\}$/m, /^BAD: entry \d+ is bad/m,
      // Tools: called, refused for an argument, held for a person who agrees to that and to nothing else, and quarantined.
      /^tools\/list: read_note, pay, update$/m, /^The office is closed on Fridays\.$/m, /\(denied\): policy denies this action/,
      /^needs +finance, says policy "large payments": nobody yet$/m, /^paid 750 to acme paper$/m, /^approved: by local\|bob, ticket /m,
      /^[0-9a-f]{12} +open .*\n[0-9a-f]{12} +open /m, /\(denied\): a person has refused this action/,
      /\(tool_quarantined\)/, /^office +read_note +quarantined /m, /^tools\/list: pay, update$/m, /^\/inputSchema\/properties\/language\n\+ /m,
      // And the tree of all that.
      /^session [0-9a-f]{12} {2}acme\/notebook /m, /^\|- \d+ +tool:call office\/pay -> office .* approved by local\|bob; ok, .*\n\| {2}\|- \d+ +ask ticket /m,
      /^\|- \d+ +tool:call .* tool_quarantined\n\| {2}`- \d+ +tool:list office -> office /m]) assert.match(out, what);
    const files = await fs.readdir(folder, { recursive: true, withFileTypes: true });
    for (const f of files.filter((x) => x.isFile())) {
      const text = await fs.readFile(path.join(f.parentPath, f.name));
      assert.ok(!text.includes(key(out)), `the key is in ${f.name}`);
    }
    const again = await run(['demo', '--dir', folder]);
    assert.equal(again.code, 1);
    assert.match(again.err, /cannot make a new folder/);
  });

  test('keeps serving with what it prints, and takes everything along when it ends', async () => {
    const port = await freePort();
    const demo = await start(BIN, ['demo', '--keep', '--dir', 'kept', '--port', String(port)], { ready: /agent resume acme\/notebook\n$/ });
    const [, url, apiKey] = demo.text.match(/export URL=(\S+) KEY=(\S+)\n/);
    const ai = new OpenAI({ apiKey, baseURL: url, maxRetries: 0 });
    let words = '';
    for await (const piece of await ai.chat.completions.create({ model: 'small', messages, stream: true })) words += piece.choices[0].delta.content ?? '';
    assert.match(words, /^A writ is proof/);
    // Tools, for whoever comes next: as it was approved, and by the lines that are printed.
    const shell = demo.text.match(/^ {2}MCP=[^]*?^ {2}call read_note .*$/m)[0];
    const { stdout } = await promisify(execFile)('bash', ['-c', `KEY=${apiKey}\n${shell}`]);
    assert.equal(JSON.parse(stdout).result.content[0].text, 'The office is closed on Fridays.\n');
    const provider = Number((await fs.readFile(path.join(dir, 'kept/writ.yaml'), 'utf8')).match(/127\.0\.0\.1:(\d+)\/v1/)[1]);
    assert.equal(await stop(demo), 0, demo.text);
    for (const gone of [port, provider]) await assert.rejects(request({ port: gone, path: '/healthz' }), { code: 'ECONNREFUSED' });
  });

  test('fails, and says why, when it cannot serve', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { code, out, err } = await run(['demo', '--dir', path.join(dir, 'taken'), '--port', String(taken.address().port)]);
    taken.close();
    assert.equal(code, 1);
    assert.match(out, /another program has this address/);
    assert.match(err, /a step of the demo differs/);
    assert.equal((await run(['demo', '--port', '65536'])).code, 2);
  });
});

test('the quickstart example does what its comments say', async () => {
  const [port, upstream] = [await freePort(), await freePort()];
  const folder = path.join(dir, 'quickstart');
  await fs.cp(example, folder, { recursive: true });
  const config = path.join(folder, 'writ.yaml');
  const text = await fs.readFile(config, 'utf8');
  await fs.writeFile(config, text.replace(/8080(?=  )/, port).replace('8100/v1', `${upstream}/v1`)
    .replace('[/usr/local/bin/', `[${path.dirname(BIN)}/`));
  const provider = await start(path.join(path.dirname(BIN), 'quickstart-provider'), [String(upstream)], { ready: /^\d+\n/ });
  const node = await start(BIN, ['serve', '-c', config], { ready: /"event":"ready"/, env: { QUICKSTART_PROVIDER_KEY: 'any-word' } });
  const key = await register(config, 'acme', 'alice', 'notebook', '--risk', 'read,purchase');
  const ai = client(port, key);
  assert.equal((await ai.chat.completions.create({ model: 'small', messages })).choices[0].finish_reason, 'stop');
  await assert.rejects(ai.chat.completions.create({ model: 'large', messages }), (e) => e.status === 403 && e.code === 'denied');
  const office = await connect({ port }, { name: key, server: 'office' });
  assert.deepEqual((await office.listTools()).tools.map((t) => t.name), ['read_note', 'pay']);
  const note = (file) => office.callTool({ name: 'read_note', arguments: { path: file } });
  assert.equal((await note('public/hours.txt')).isError, false);
  assert.equal((await note('private/salaries.txt'))._meta['writ/reason'], 'denied');
  assert.equal((await office.callTool({ name: 'pay', arguments: { to: 'acme paper', amount: 499.99 } })).content[0].text, 'paid 499.99 to acme paper');
  await office.close();
  assert.equal(await stop(node), 0, node.text);
  await stop(provider);
});

test('a first configuration of one\'s own serves', async () => {
  const port = await freePort(), admin = await freePort();
  const folder = path.join(dir, 'gw'), config = path.join(folder, 'writ.yaml');
  const init = await run(['init', '--dir', folder]);
  assert.equal(init.code, 0, init.err);
  const env = { OPENAI_API_KEY: 'sk-none' };
  const check = await run(['check', '-c', config], { env });
  assert.equal(check.code, 0, check.err);
  const text = await fs.readFile(config, 'utf8');
  await fs.writeFile(config, text.replace('8080', port).replace('9090', admin));
  const node = await start(BIN, ['serve', '-c', config], { ready: /"event":"ready"/, env });
  const ai = client(port, await register(config, 'default', 'me', 'first'));
  assert.deepEqual((await ai.models.list()).data.map((m) => m.id), ['small']);
  assert.equal(await stop(node), 0, node.text);
});
