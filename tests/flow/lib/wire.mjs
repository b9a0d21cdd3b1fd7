// wire.mjs - HTTP byte by byte: what no client library would send.
import net from 'node:net';

export const bytes = (text) => Buffer.from(text, 'latin1');

/** A connection that keeps all it received. */
export class Wire {
  received = '';
  closed = false;
  #waiting = new Set();

  static connect(port, host = '127.0.0.1') {
    const w = new Wire();
    w.socket = net.connect({ port, host, noDelay: true });
    w.socket.on('data', (d) => { w.received += d.toString('latin1'); w.#wake(); });
    w.socket.on('error', () => {});
    w.socket.on('close', () => { w.closed = true; w.#wake(); });
    w.socket.on('end', () => { w.closed = true; w.#wake(); });
    return w;
  }

  #wake() { for (const wake of this.#waiting) wake(); }

  write(data) {
    if (!this.closed) this.socket.write(typeof data === 'string' ? bytes(data) : data);
    return this;
  }

  /** True as soon as `what()` is; false after `ms`. */
  wait(what, ms) {
    return new Promise((resolve) => {
      let timer;
      const done = (value) => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve(value);
      };
      const check = () => { if (what()) done(true); };
      timer = setTimeout(() => done(Boolean(what())), ms);
      this.#waiting.add(check);
      check();
    });
  }

  until(what, ms = 5000) { return this.wait(() => this.closed || what(), ms); }
  ended(ms = 5000) { return this.wait(() => this.closed, ms); }

  /** Complete answers so far, 1xx included. */
  get answers() { return answers(this.received); }

  /** Waits for `n` final answers, or the end. */
  async final(n = 1, ms = 5000) {
    const got = () => this.answers.filter((a) => a.status >= 200 && a.whole);
    await this.until(() => got().length >= n, ms);
    return got();
  }

  destroy() { this.socket.destroy(); }
}

/** Reads as many HTTP/1 answers as there are (none of them to HEAD). */
export function answers(text) {
  const found = [];
  while (text.startsWith('HTTP/1.')) {
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) break;
    const [line, ...rest] = text.slice(0, end).split('\r\n');
    const a = { status: Number(line.split(' ')[1]), version: line.slice(5, 8), headers: {}, body: '', whole: true };
    for (const field of rest) {
      const at = field.indexOf(':');
      a.headers[field.slice(0, at).toLowerCase()] = field.slice(at + 1).trim();
    }
    text = takeBody(a, text.slice(end + 4));
    found.push(a);
    if (!a.whole) break;
  }
  if (text !== '' && !text.startsWith('HTTP/1.')) found.rest = text;
  return found;
}

function takeBody(a, text) {
  if (a.status < 200 || a.status === 204 || a.status === 304) return text;
  const length = a.headers['content-length'];
  if (length !== undefined) {
    a.body = text.slice(0, Number(length));
    a.whole = text.length >= Number(length);
    return text.slice(Number(length));
  }
  if (a.headers['transfer-encoding'] !== 'chunked') {
    a.body = text; // until the end of the connection
    return '';
  }
  for (;;) {
    const at = text.indexOf('\r\n');
    const size = at < 0 ? NaN : parseInt(text.slice(0, at), 16);
    a.whole = !Number.isNaN(size) && text.length >= at + 2 + size + 2;
    if (!a.whole) return '';
    a.body += text.slice(at + 2, at + 2 + size);
    text = text.slice(at + 2 + size + 2);
    if (size === 0) return text;
  }
}

// ---- HTTP/2 -----------------------------------------------------------------

export const PREFACE = bytes('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
export const DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8, CONTINUATION = 9;
export const END_STREAM = 1, ACK = 1, END_HEADERS = 4;

export function frame(type, flags, stream, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function hpackInteger(n, bits, first = 0) {
  const max = (1 << bits) - 1;
  if (n < max) return Buffer.from([first | n]);
  const out = [first | max];
  for (n -= max; n >= 128; n = Math.floor(n / 128)) out.push((n % 128) | 128);
  out.push(n);
  return Buffer.from(out);
}

/** Fields as literals that are never indexed and not compressed (RFC 7541, 6.2.2). */
export function headerBlock(fields) {
  const string = (s) => Buffer.concat([hpackInteger(bytes(s).length, 7), bytes(s)]);
  return Buffer.concat(fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), string(name), string(value)])));
}

/** The frames in `text`, and what is left. */
export function frames(text) {
  const data = bytes(text), found = [];
  let at = 0;
  while (data.length >= at + 9) {
    const length = data.readUIntBE(at, 3);
    if (data.length < at + 9 + length) break;
    found.push({ type: data[at + 3], flags: data[at + 4], stream: data.readUInt32BE(at + 5) & 0x7fffffff, payload: data.subarray(at + 9, at + 9 + length) });
    at += 9 + length;
  }
  return found;
}

/** The digits of a Huffman-coded status (RFC 7541, appendix B). */
function huffmanDigits(data) {
  const bits = [...data].map((b) => b.toString(2).padStart(8, '0')).join('');
  const code = { '00000': '0', '00001': '1', '00010': '2' };
  let out = '';
  for (let at = 0; at < bits.length;) {
    const short = code[bits.slice(at, at + 5)];
    if (short !== undefined) { out += short; at += 5; continue; }
    const long = parseInt(bits.slice(at, at + 6).padEnd(6, '1'), 2);
    if (bits.length - at < 6 || long < 0b011001 || long > 0b011111) break;
    out += String(long - 0b011001 + 3);
    at += 6;
  }
  return out;
}

/** The status of the first block of answer fields on a connection. */
export function statusOf(block) {
  const at = (block[0] & 0xe0) === 0x20 ? 1 : 0; // a table size update
  const first = block[at];
  if (first >= 0x88 && first <= 0x8e) return [200, 204, 206, 304, 400, 404, 500][first - 0x88];
  const length = block[at + 1] & 0x7f, value = block.subarray(at + 2, at + 2 + length);
  return Number(block[at + 1] & 0x80 ? huffmanDigits(value) : value.toString('latin1'));
}

/** Sends one request on a new HTTP/2 connection; says what became of it. */
export async function h2call(port, fields, body = '', ms = 3000) {
  const w = Wire.connect(port);
  const data = bytes(body);
  const block = headerBlock(fields);
  w.write(Buffer.concat([
    PREFACE, frame(SETTINGS, 0, 0), frame(HEADERS, END_HEADERS | (data.length > 0 ? 0 : END_STREAM), 1, block),
    ...(data.length > 0 ? [frame(DATA, END_STREAM, 1, data)] : []),
  ]));
  const seen = () => frames(w.received).filter((f) => f.type !== SETTINGS && f.type !== WINDOW_UPDATE && f.type !== PING);
  const over = () => seen().some((f) => f.type === RST_STREAM || f.type === GOAWAY || (f.flags & END_STREAM && f.stream === 1));
  await w.until(over, ms);
  const all = seen();
  const head = all.find((f) => f.type === HEADERS), rst = all.find((f) => f.type === RST_STREAM), away = all.find((f) => f.type === GOAWAY);
  w.destroy();
  return {
    status: head && statusOf(head.payload),
    body: Buffer.concat(all.filter((f) => f.type === DATA).map((f) => f.payload)).toString(),
    reset: rst && rst.payload.readUInt32BE(0),
    goaway: away && away.payload.readUInt32BE(4),
    closed: w.closed,
  };
}
