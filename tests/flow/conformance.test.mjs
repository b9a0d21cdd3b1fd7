// The conformance suite of MCP, 2025-11-25, against a server that passes it:
// directly, and through the gateway by a route without prefixes.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import httpModule from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { serve } from './lib/conformance_server.mjs';
import { NODE, connect, http, permit, tools } from './lib/mcp.mjs';
import { Provider } from './lib/provider.mjs';
import { KEYS, Writ, entity } from './lib/writ.mjs';

const REVISION = '2025-11-25';
const suite = path.resolve(import.meta.dirname, 'node_modules/@modelcontextprotocol/conformance');
const alice = { kind: 'agent', models: [], risk: ['read', 'write', 'trigger', 'purchase', 'deploy', 'export', 'secret', 'regulated', 'admin'] };

const some = `permit (principal == ${entity('bob', alice)}, action, resource == Writ::ToolServer::"conformance");
permit (principal == ${entity('bob', alice)}, action, resource)
when { [Writ::Tool::"conformance/test_simple_text", Writ::Prompt::"conformance/test_simple_prompt",
        Writ::Resource::"conformance/test://static-text"].contains(resource) };
`;

/**
 * The suite cannot send a credential: this puts one on and passes all else on
 * as it is, Host and Origin too, streaming both ways.
 */
async function credentialed(port, target) {
  const proxy = httpModule.createServer((req, res) => {
    const out = httpModule.request({
      host: '127.0.0.1', port, path: target, method: req.method, agent: false, setHost: false,
      headers: { ...req.headers, authorization: `Bearer ${KEYS.alice}` },
    }, (answer) => {
      res.writeHead(answer.statusCode, answer.headers).flushHeaders();
      answer.pipe(res);
      answer.on('error', () => res.destroy());
    });
    out.on('error', () => res.destroy());
    res.on('close', () => out.destroy());
    req.pipe(out);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return proxy;
}

/** Runs the suite; resolves to scenario -> checks, with the exit code and what was printed. */
async function conform(port) {
  const out = await fs.mkdtemp(path.join(os.tmpdir(), 'writ-conformance-'));
  const args = [path.join(suite, 'dist/index.js'), 'server', '--url', `http://127.0.0.1:${port}/mcp`, '--requirements', REVISION, '-o', out];
  const { code, text } = await new Promise((resolve) => {
    execFile(NODE, args, { timeout: 50000 }, (error, stdout, stderr) => resolve({ code: error ? (error.code ?? 1) : 0, text: stdout + stderr }));
  });
  const scenarios = new Map();
  for (const folder of await fs.readdir(out)) {
    const name = folder.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT.*$/, '');
    scenarios.set(name, JSON.parse(await fs.readFile(path.join(out, folder, 'checks.json'), 'utf8')));
  }
  await fs.rm(out, { recursive: true, force: true });
  return { code, text, scenarios };
}

/** Every scenario that counts ran, and no check of it says anything but yes. */
async function holds(t, { code, text, scenarios }) {
  const requirements = await fs.readFile(path.join(suite, 'requirements', `${REVISION}.yaml`), 'utf8');
  const required = /^server:\n((?: +- .*\n)+)/m.exec(requirements)[1].match(/[\w-]+(?=\n)/g);
  assert.equal(required.length, 30);
  const wrong = [];
  let passed = 0;
  for (const name of required) {
    const checks = scenarios.get(name) ?? [];
    const failed = checks.filter((c) => !['SUCCESS', 'INFO'].includes(c.status));
    if (!checks.some((c) => c.status === 'SUCCESS')) wrong.push(`${name}: no check passed`);
    wrong.push(...failed.map((c) => `${name}: ${c.id}: ${c.status}: ${c.errorMessage}`));
    passed += checks.filter((c) => c.status === 'SUCCESS').length;
  }
  assert.deepEqual(wrong, [], text.slice(-2000));
  assert.equal(code, 0, text.slice(-2000));
  t.diagnostic(`${required.length} of ${required.length} scenarios, ${passed} checks`);
}

describe('conformance', () => {
  let fixture;
  before(async () => { fixture = await serve(); });
  after(() => fixture.close());

  test('the fixture itself passes every scenario', async (t) => {
    await holds(t, await conform(fixture.port));
  });

  describe('through the gateway', () => {
    let provider, writ, proxy;
    before(async () => {
      provider = await Provider.start();
      writ = await Writ.start({
        providers: { main: { url: provider.url } },
        models: { m: '{routes: [{provider: main, model: m}]}' },
        callers: { alice, bob: { ...alice } },
        more: tools(http('conformance', `http://127.0.0.1:${fixture.port}/mcp`, 'sampling: true, elicitation: true')),
        prepare: (w) => w.addPolicy('tools.cedar', permit(entity('alice', alice), ['conformance']) + some),
      });
      proxy = await credentialed(writ.port, '/mcp/conformance');
    });
    after(async () => {
      proxy.closeAllConnections();
      proxy.close();
      await writ.finish();
      await provider.stop();
    });

    test('every scored scenario passes', async (t) => {
      await holds(t, await conform(proxy.address().port));
    });

    test('who may use some of it sees that', async () => {
      const client = await connect(writ, { name: 'bob', server: 'conformance' });
      const names = async (list, of) => (await client[list]())[of].map((it) => it.name);
      assert.deepEqual(await names('listTools', 'tools'), ['test_simple_text']);
      assert.deepEqual(await names('listPrompts', 'prompts'), ['test_simple_prompt']);
      assert.deepEqual(await names('listResources', 'resources'), ['static-text']);
      assert.deepEqual(await names('listResourceTemplates', 'resourceTemplates'), []);
      assert.equal((await client.readResource({ uri: 'test://static-text' })).contents.length, 1);
      await assert.rejects(client.readResource({ uri: 'test://static-binary' }), /policy denies/);
      await assert.rejects(client.getPrompt({ name: 'test_prompt_with_image' }), /policy denies/);
      await client.close();
    });

    // The suite is content with lists that are empty.
    test('what is listed is what the server lists', async () => {
      const inFront = await connect(writ, { server: 'conformance' });
      const behind = await connect({ port: fixture.port });
      for (const list of ['listTools', 'listResources', 'listResourceTemplates', 'listPrompts'])
        assert.deepEqual(await inFront[list](), await behind[list](), list);
      await inFront.close();
      await behind.close();
    });
  });
});
