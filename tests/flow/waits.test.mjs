// The client is killed at every place where an action can wait.  Afterwards
// no action is open, no intent is left without its outcome, and nothing was
// sent that was not recorded.
import { test, describe } from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { Provider, pause, streamed } from './lib/provider.mjs';
import { Writ, KEYS } from './lib/writ.mjs';

const body = (model, stream) => JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'Hello' }] });

function head(length) {
  return `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${KEYS.alice}\r\n`
    + `content-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
}

/** Sends bytes on a connection of its own, and gives it up after a while. */
async function callAndLeave(port, bytes, ms = 150) {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(bytes);
  await pause(ms);
  socket.resetAndDestroy();
}

async function withProcess(writ, name, signal, what) {
  const pid = await writ.pid(name);
  process.kill(pid, 'SIGSTOP');
  try {
    await what();
  } finally {
    process.kill(pid, signal ?? 'SIGCONT');
  }
}

describe('waits', () => {
  const cases = {
    'identify and admit: the keeper has not answered yet': async ({ writ }) => {
      await withProcess(writ, 'keeper', 'SIGCONT', () => callAndLeave(writ.port, head(body('m').length) + body('m')));
    },
    'parse: half of the body has come': async ({ writ }) => {
      await callAndLeave(writ.port, head(1000) + '{"model":');
    },
    'record: the ledger has not answered yet': async ({ writ }) => {
      await callAndLeave(writ.port, head(body('m').length) + body('m')); // a session, so that only the ledger is waited for
      await withProcess(writ, 'ledger', 'SIGCONT', () => callAndLeave(writ.port, head(body('m').length) + body('m')));
    },
    'dispatch: the provider has not answered yet': async ({ writ, provider }) => {
      provider.on('m', () => {});
      await callAndLeave(writ.port, head(body('m').length) + body('m'));
      await writ.until(() => provider.requests.every((r) => r.exchange.closed), 2000, 'upstream cancelled');
    },
    'dispatch: between two attempts': async ({ writ, provider }) => {
      provider.on('m', (x) => x.error(500, 'server_error'));
      await callAndLeave(writ.port, head(body('m').length) + body('m'), 90);
    },
    'dispatch: the body of an error is on its way': async ({ writ, provider }) => {
      provider.on('m', (x) => { x.res.writeHead(500, { 'content-type': 'application/json', 'content-length': 100 }); x.res.write('{'); });
      await callAndLeave(writ.port, head(body('m').length) + body('m'));
    },
    'relay: half of a plain answer has come': async ({ writ, provider }) => {
      provider.on('m', (x) => { x.res.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 }); x.res.write('{'); });
      await callAndLeave(writ.port, head(body('m').length) + body('m'));
    },
    'relay: in mid-stream': async ({ writ, provider }) => {
      provider.on('m', async (x) => { x.begin(); while (!x.closed) await x.send([streamed('m', true)[1]], 10); });
      await callAndLeave(writ.port, head(body('m', true).length) + body('m', true));
    },
    'relay: a stream that is silent': async ({ writ, provider }) => {
      provider.on('m', async (x) => { x.begin(); await x.send(streamed('m', true).slice(0, 2)); });
      await callAndLeave(writ.port, head(body('m', true).length) + body('m', true));
    },
  };

  for (const [name, play] of Object.entries(cases)) {
    test(name, async () => {
      const provider = await Provider.start();
      const writ = await Writ.start({
        providers: { openai: { url: provider.url } },
        models: { m: '{routes: [{provider: openai, model: m}]}' },
        callers: { alice: { models: ['m'] } },
      });
      await play({ provider, writ });
      await pause(300); // the ledger's figures in the status are a quarter of a second old
      const s = await writ.until(async () => {
        const now = await writ.status();
        return now.calls.open === 0 && now.ledger.open_intents === 0 && now;
      }, 5000, 'settled');
      assert.equal(s.calls.open, 0);
      const entries = await writ.entries();
      const intents = entries.filter((e) => e.kind === 'intent');
      assert.ok(provider.requests.length <= intents.length, 'nothing went out without an intent');
      for (const i of intents) assert.equal(entries.filter((e) => e.kind === 'outcome' && e.id === i.id).length >= 1, true);
      provider.on('m', undefined);
      provider.handlers.delete('m');
      await writ.client().chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'still there?' }] });
      await writ.finish();
      await provider.stop();
    });
  }
});
