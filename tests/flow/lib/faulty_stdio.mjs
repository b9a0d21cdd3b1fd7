// faulty_stdio.mjs - a tool server over pipes that can misbehave: its one tool
// does what `how` says.  Alone in its file, since it runs behind walls.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createInterface } from 'node:readline';

const out = (m) => fs.writeSync(1, typeof m === 'string' || Buffer.isBuffer(m) ? m : `${JSON.stringify({ jsonrpc: '2.0', ...m })}\n`);
const seen = [];
const lines = createInterface({ input: process.stdin });
// A pipe that is full says so: then this waits, as servers do.
const all = (fd, text) => { for (let at = 0; at < text.length;) try { at += fs.writeSync(fd, text, at); } catch (e) { if (e.code !== 'EAGAIN') throw e; } };

const how = {
  'answers': ({ id, text }) => out({ id, result: text('fine') }),
  'says what it saw': ({ id, text }) => out({ id, result: text(JSON.stringify(seen)) }),
  'exits': () => { fs.writeSync(2, 'out of paper\n'); process.exit(3); },
  'kills itself': () => process.kill(process.pid, 'SIGKILL'),
  'exits in mid-answer': ({ id }) => { out(`{"jsonrpc":"2.0","id":${id},"res`); process.exit(0); },
  'closes its output': () => { fs.closeSync(1); },
  'writes what is no message': () => out('starting up...\n'),
  'writes invalid UTF-8': ({ id }) => out(Buffer.concat([Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"`), Buffer.from([0xff, 0xc0]), Buffer.from('"}]}}\n')])),
  'answers in a batch': ({ id, text }) => out(`${JSON.stringify([{ jsonrpc: '2.0', id, result: text('no') }])}\n`),
  'answers with both': ({ id, text }) => out({ id, result: text('no'), error: { code: 1, message: 'no' } }),
  'answers too much': ({ id, text }) => { all(1, Buffer.from(`${JSON.stringify({ jsonrpc: '2.0', id, result: text('x'.repeat(3 << 20)) })}\n`)); },
  'answers to nobody, and twice': ({ id, text }) => { out({ id: 987654, result: text('no') }); out({ id: 'x', result: text('no') }); out({ id, result: text('fine') }); out({ id, result: text('no') }); },
  'hangs': () => {},
  'floods its stderr': ({ id, text }) => { const much = Buffer.alloc(1 << 20, 'noise '); for (let i = 0; i < 20; i++) all(2, much); out({ id, result: text('fine') }); },
  'floods with notices': ({ id, text }) => {
    const words = Buffer.from(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'error', data: 'n'.repeat(1000) } })}\n`.repeat(100));
    for (let i = 0; i < 200; i++) all(1, words);
    out({ id, result: text('fine') });
  },
  'reads no more': () => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); },
  'leaves a family': ({ id, text, mark }) => {
    const idle = 'process.on("SIGTERM",()=>{});process.on("SIGHUP",()=>{});setInterval(()=>{},1000)';
    for (let i = 0; i < 3; i++) spawn(process.execPath, ['-e', `require("child_process").spawn(process.execPath,["-e",${JSON.stringify(idle)},"${mark}-child"],{stdio:"ignore",detached:true});${idle}`, mark], { stdio: 'ignore', detached: true }).unref();
    out({ id, result: text('fine') });
  },
};

lines.on('line', (line) => {
  const m = JSON.parse(line);
  seen.push({ method: m.method, id: m.id, requestId: m.params?.requestId });
  const text = (s) => ({ content: [{ type: 'text', text: s }] });
  if (m.method === 'initialize') return out({ id: m.id, result: { protocolVersion: '2025-11-25', capabilities: { tools: {}, logging: {} }, serverInfo: { name: 'faulty', version: '1' } } });
  if (m.method === 'tools/list') return out({ id: m.id, result: { tools: [{ name: 'fault', description: 'Does what it is told', inputSchema: { type: 'object', properties: { how: { type: 'string' }, mark: { type: 'string' }, more: { type: 'string' } }, required: ['how'] } }] } });
  if (m.method === 'tools/call') return how[m.params.arguments.how]({ id: m.id, text, mark: m.params.arguments.mark });
  return undefined;
});
lines.on('close', () => process.exit(0));
