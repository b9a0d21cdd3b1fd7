// The MCP inspector's command line as a caller of the gateway.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { NODE, http, permit, tools } from './lib/mcp.mjs';
import { Provider } from './lib/provider.mjs';
import { ToolServer } from './lib/toolserver.mjs';
import { KEYS, Writ, entity } from './lib/writ.mjs';

const INSPECTOR = path.resolve(import.meta.dirname, 'node_modules/.bin/mcp-inspector');
const IS_ERROR = 5; // its exit code for a result that says `isError`
const alice = { kind: 'agent', models: [], risk: ['read', 'write', 'trigger', 'purchase', 'deploy', 'export', 'secret', 'regulated', 'admin'] };
const secrets = `@id("no-secrets")
forbid (principal, action in Writ::Action::"tool:call", resource)
when { context.input has path && context.input.path like "/etc/*" };
`;

describe('the inspector', () => {
  let provider, server, writ;

  before(async () => {
    provider = await Provider.start();
    server = await ToolServer.start();
    writ = await Writ.start({
      providers: { main: { url: provider.url } },
      models: { m: '{routes: [{provider: main, model: m}]}' },
      callers: { alice, bob: { kind: 'agent', models: [] } },
      more: tools(http('files', server.url)),
      prepare: (w) => w.addPolicy('tools.cedar', permit(entity('alice', alice), ['files']) + secrets),
    });
  });
  after(async () => {
    await writ.finish();
    await server.stop();
    await provider.stop();
  });

  /** Runs it; its answer is JSON. Its settings stay in the folder of the test. */
  function inspect(key, ...args) {
    const all = [INSPECTOR, '--cli', `http://127.0.0.1:${writ.port}/mcp/files`, '--transport', 'http', ...args, '--header', `Authorization: Bearer ${key}`];
    return new Promise((resolve) => {
      execFile(NODE, all, { timeout: 30000, env: { ...process.env, HOME: writ.dir } }, (error, out, err) => resolve({ code: error ? error.code : 0, out, err }));
    });
  }
  const read = (file) => inspect(KEYS.alice, '--method', 'tools/call', '--tool-name', 'read_file', '--tool-arg', `path=${file}`);

  test('lists the tools', async () => {
    const { code, out, err } = await inspect(KEYS.alice, '--method', 'tools/list');
    assert.equal(code, 0, err);
    assert.deepEqual(JSON.parse(out).tools.map((t) => t.name).sort(), ['delete_file', 'read_file', 'write_file']);
  });

  test('calls one', async () => {
    const { code, out, err } = await read('/srv/a');
    assert.equal(code, 0, err);
    assert.equal(JSON.parse(out).content[0].text, 'content of /srv/a');
  });

  test('shows why a call is refused', async () => {
    const { code, out, err } = await read('/etc/shadow');
    assert.equal(code, IS_ERROR, err);
    const result = JSON.parse(out);
    assert.equal(result.isError, true);
    assert.match(result.content[0].text, /denied/);
    assert.ok(!server.calls.some((c) => c.arguments.path === '/etc/shadow'));
  });

  test('shows that a server is not for them', async () => {
    const { code, out, err } = await inspect(KEYS.bob, '--method', 'tools/list');
    assert.notEqual(code, 0);
    assert.match(out + err, /policy denies this action/);
  });

  test('shows that a key is not known', async () => {
    const { code, out, err } = await inspect('writ_nobody', '--method', 'tools/list');
    assert.notEqual(code, 0);
    assert.match(out + err, /auth_required/); // it takes a 401 for an invitation to log in
  });
});
