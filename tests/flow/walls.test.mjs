// What a tool server that the node has started can reach of the node: nothing.
import { test, before, after, describe } from 'node:test';
import assert from 'node:assert/strict';
import path from 'node:path';
import { connect, permit, stdio, tools } from './lib/mcp.mjs';
import { Provider } from './lib/provider.mjs';
import { Writ, entity, freePort } from './lib/writ.mjs';

const alice = { kind: 'agent', models: [], risk: ['read'] };
const script = path.join(import.meta.dirname, 'lib/burglar.mjs');

describe('walls', () => {
  let provider, writ, adminPort;

  before(async () => {
    provider = await Provider.start();
    adminPort = await freePort();
    writ = await Writ.start({
      providers: { main: { url: provider.url } },
      models: { m: '{routes: [{provider: main, model: m}]}' },
      callers: { alice },
      more: [`admin: {address: "127.0.0.1:${adminPort}"}`,
        tools(stdio('inside', [script], 'risk: {"*": [read]}'), stdio('outgoing', [script], 'risk: {"*": [read]}, network: out'))].join('\n'),
      prepare: (w) => w.addPolicy('tools.cedar', permit(entity('alice', alice), ['inside', 'outgoing'])),
    });
  });
  after(async () => {
    await writ.finish();
    await provider.stop();
  });

  for (const server of ['inside', 'outgoing']) {
    test(`rule_33_children_reach_nothing_of_ours: ${server}`, async (t) => {
      const client = await connect(writ, { server }).catch((e) => e);
      // Where the kernel cannot keep it from our ports, it is not started at all.
      if (client instanceof Error) {
        assert.equal(server, 'outgoing', client.message);
        return t.skip(`not started here: ${client.message}`);
      }
      const pids = [writ.child.pid, ...await Promise.all(['gateway', 'keeper', 'ledger', 'runner'].map((name) => writ.pid(name)))];
      const result = await client.callTool({ name: 'try', arguments: { pids, port: writ.port, adminPort, data: path.join(writ.dir, 'data'), config: writ.file } });
      const found = JSON.parse(result.content[0].text);
      if (server === 'outgoing') delete found.datagram; // it may send those, to nobody of ours
      for (const [what, came] of Object.entries(found)) assert.match(came, /^no: /, `${what}: ${came}`);
      assert.equal(await writ.healthy(), true);
      await client.close();
    });
  }
});
