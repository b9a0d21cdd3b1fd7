// Tool servers behind the gateway, as the official clients see them.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Everything, EVERYTHING, FILESYSTEM, begin, connect, http, messages, permit, post, stdio, tools } from './lib/mcp.mjs';
import { Provider } from './lib/provider.mjs';
import { Writ, entity } from './lib/writ.mjs';

const alice = { kind: 'agent', models: [], risk: ['read', 'write', 'trigger', 'purchase', 'deploy', 'export', 'secret', 'regulated', 'admin'] };

describe('tool servers', () => {
  let provider, everything, writ;

  before(async () => {
    provider = await Provider.start();
    everything = await Everything.start();
    writ = await Writ.start({
      providers: { main: { url: provider.url } },
      models: { m: '{routes: [{provider: main, model: m}]}' },
      callers: { alice, bob: { kind: 'agent', models: [] } },
      more: tools(http('web', everything.url), stdio('pipe', [EVERYTHING])),
      prepare: (w) => w.addPolicy('tools.cedar', permit(entity('alice', alice), ['web', 'pipe'])),
    });
  });
  after(async () => {
    await writ.finish();
    await everything.stop();
    await provider.stop();
  });

  for (const server of ['web', 'pipe']) {
    test(`${server}: the SDK lists and calls tools`, async () => {
      const client = await connect(writ, { server });
      const { tools: listed } = await client.listTools();
      assert.ok(listed.some((t) => t.name === 'echo'), JSON.stringify(listed.map((t) => t.name)));
      const answer = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
      assert.match(answer.content[0].text, /hello/);
      await client.close();
    });
  }

  test('all servers in one list, by name', async () => {
    const client = await connect(writ);
    const { tools: listed } = await client.listTools();
    assert.ok(listed.some((t) => t.name === 'web__echo') && listed.some((t) => t.name === 'pipe__echo'));
    const answer = await client.callTool({ name: 'pipe__echo', arguments: { message: 'both' } });
    assert.match(answer.content[0].text, /both/);
    await client.close();
  });

  test('who is not permitted sees no server', async () => {
    const res = await post(writ, { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } } }, { name: 'bob', server: 'web' });
    assert.equal(res.status, 403, res.body);
    const session = await begin(writ, { name: 'bob' });
    const [list] = messages(await post(writ, { jsonrpc: '2.0', id: 2, method: 'tools/list' }, { name: 'bob', session }));
    assert.deepEqual(list.result.tools, []);
  });
});

describe('files behind the gateway', () => {
  let provider, folder, writ;

  before(async () => {
    provider = await Provider.start();
    folder = await fs.mkdtemp(path.join(os.tmpdir(), 'writ-files-'));
    await fs.mkdir(path.join(folder, 'pub'));
    await fs.writeFile(path.join(folder, 'pub', 'a.txt'), 'for everybody');
    await fs.writeFile(path.join(folder, 'b.txt'), 'for nobody');
    writ = await Writ.start({
      providers: { main: { url: provider.url } },
      models: { m: '{routes: [{provider: main, model: m}]}' },
      callers: { alice: { kind: 'agent', models: [], risk: ['read', 'write'] } },
      more: tools(stdio('files', [FILESYSTEM, folder], 'risk: {"read_*": [read], "list_*": [read], "write_*": [write]}', [folder])),
      prepare: (w) => w.addPolicy('tools.cedar', `
permit (principal, action == Writ::Action::"tool:list", resource);
permit (principal, action in Writ::Action::"tool:call", resource)
when { context has input && context.input has path && context.input.path like "${folder}/pub/*" && !(context.input.path like "*..*") };
`),
    });
  });
  after(async () => {
    await writ.finish();
    await provider.stop();
    await fs.rm(folder, { recursive: true });
  });

  test('the same tool is allowed and refused by its arguments', async () => {
    const client = await connect(writ, { server: 'files' });
    const read = (name) => client.callTool({ name: 'read_text_file', arguments: { path: path.join(folder, name) } });
    assert.match((await read('pub/a.txt')).content[0].text, /for everybody/);
    const refused = await read('b.txt');
    assert.equal(refused.isError, true);
    assert.match(refused.content[0].text, /denied/);
    const written = await client.callTool({ name: 'write_file', arguments: { path: path.join(folder, 'pub', 'new.txt'), content: 'new' } });
    assert.ok(!written.isError, JSON.stringify(written));
    assert.equal(await fs.readFile(path.join(folder, 'pub', 'new.txt'), 'utf8'), 'new');
    await client.close();
  });
});
