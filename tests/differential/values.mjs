// values.mjs - texts and numbers that engines are likely to disagree about,
// among plain ones that meet each other often.

export const names = ['a', 'b', 'c', 'name', 'owner', 'level', 'in', 'principal', 'x y', 'é', '', '__entity', '__cedar', '__extn', 'fn', 'arg', 'type', 'id'];
export const ids = ['a', 'b', 'c', 'd', '', 'é', 'e\u{301}', 'a"b', '\\', 'a\nb', '*'];
export const strings = ['', 'a', 'b', 'ab', 'a*b', 'aab', 'ba', 'é', '*', '\\*', '\u{1f600}', 'a\nb', 'A', '"', '\0'];
export const patterns = ['*', 'a*', '*b', 'a*b', '*a*', 'a\\*b', '\\*', '', 'é*', '*\\n*', '\\u{61}*', '\\x2a', 'a', '**b', '*a*b*'];
export const longs = ['0', '1', '2', '3', '-1', '-2', '7', '100', '86400000', '3037000500', '4611686018427387904',
  '9223372036854775807', '-9223372036854775808', '-9223372036854775807', '007'];
export const smallLongs = [0, 1, 2, 3, -1, -2, 7, 100, 86400000, 9007199254740991, -9007199254740991];

const decimals = ['0.0', '-0.0', '1.5', '1.50', '1.5000', '-1.5', '12.34', '0.0001', '922337203685477.5807',
  '-922337203685477.5808', '00.1'];
const badDecimals = ['1', '1.', '.5', '1.23456', 'a', '', '+1.0', '1.0 ', ' 1.0', '922337203685477.5808', '1e3', '-1.-5', '1.5.5', '٣.٣'];
const ips = ['10.0.0.1', '10.0.0.0/8', '10.0.0.1/32', '10.1.2.3/16', '127.0.0.1', '127.0.0.0/7', '224.0.0.1', '239.0.0.0/4',
  '0.0.0.0/0', '::', '::1', '::/0', '::1/128', 'ff00::/8', 'ff02::1', 'fe80::1', '1:2:3:4:5:6:7:8', '1::8', '2001:db8::/32',
  '::ffff:a00:1', 'ABCD::', '255.255.255.255', '0.0.0.0'];
const badIps = ['10.0.0.1/33', '10.0.0', '10.0.0.256', '::ffff:10.0.0.1', ':::', '1::2::3', '10.0.0.1/', '10.0.0.1/08', '010.0.0.1',
  'fe80::1%eth0', '::1/129', '', 'a', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '10.0.0.1 ', '12345::', '::1/ 8', '::/+1', '10.0.0.1/1/2', '[::1]'];
const datetimes = ['2024-01-01', '2024-02-29', '1970-01-01', '1969-12-31', '0000-01-01', '9999-12-31', '2024-01-01T00:00:00Z',
  '2024-01-01T12:34:56Z', '2024-01-01T00:00:00.123Z', '2024-01-01T01:30:00+0130', '2023-12-31T22:30:00-0130',
  '9999-12-31T23:59:59.999-2359', '0000-01-01T00:00:00+2359', '2024-12-31T23:59:59.999Z', '1900-03-01', '2000-02-29'];
const badDatetimes = ['2023-02-29', '2024-1-1', '2024-13-01', '2024-00-01', '2024-01-32', '2024-01-01T00:00:00', '2024-01-01T24:00:00Z',
  '2024-01-01T00:60:00Z', '2024-01-01T00:00:60Z', '2024-01-01T00:00:00.1Z', '2024-01-01T00:00:00.1234Z', '2024-01-01T00:00:00+01:30',
  '2024-01-01T00:00:00+2400', '2024-01-01T00:00:00+0160', '2024-01-01 00:00:00Z', '', '10000-01-01', '-001-01-01', '2024-01-01Z',
  '1900-02-29', '2024-01-01t00:00:00z', '2024-04-31'];
const durations = ['1d', '1h', '1m', '1s', '1ms', '0ms', '-1d', '1d2h3m4s5ms', '1h1ms', '-1d12h', '86400000ms', '24h', '0d0h',
  '9223372036854775807ms', '-9223372036854775808ms', '106751991167d', '007d', '-0ms'];
const badDurations = ['', '-', '1', 'd', '1d1d', '1h1d', '1m1h', '9223372036854775808ms', '106751991168d', '1.5h', ' 1d', '1D', '+1d',
  '--1d', '1d ', '1ms1s', '1x', '99999999999999999999d'];

/** The extension types: constructor, texts, and texts that are none. */
export const extensions = {
  ipaddr: { fn: 'ip', good: ips, bad: badIps },
  decimal: { fn: 'decimal', good: decimals, bad: badDecimals },
  datetime: { fn: 'datetime', good: datetimes, bad: badDatetimes },
  duration: { fn: 'duration', good: durations, bad: badDurations },
};

/** The text of an extension value; `wrong` percent are none. */
export function extensionText(random, type, wrong) {
  const x = extensions[type];
  if (!random.chance(wrong)) return random.pick(x.good);
  if (random.chance(70)) return random.pick(x.bad);
  // One character more, less or other than what is right.
  const text = [...random.pick(x.good)];
  const at = random.below(text.length + 1);
  const other = random.pick([...'0123456789abcdf.:-+/TZhms ']);
  const kind = random.below(3);
  text.splice(at, kind === 0 ? 0 : 1, ...(kind === 1 ? [] : [other]));
  return text.join('');
}

/** A string literal of Cedar. */
export function literal(random, text) {
  let out = '"';
  for (const c of text) {
    if (c === '"' || c === '\\') out += '\\' + c;
    else if (c === '\0') out += '\\0';
    else if (c === '\n') out += random.chance(50) ? '\\n' : c;
    else if (random.chance(5)) out += `\\u{${c.codePointAt(0).toString(16)}}`;
    else out += c;
  }
  return out + '"';
}

/** A name as it stands behind a dot, or undefined: it must be quoted. */
export const isPlain = (name) => /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name)
  && !['true', 'false', 'if', 'then', 'else', 'in', 'is', 'like', 'has', '__cedar'].includes(name);
