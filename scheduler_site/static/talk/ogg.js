// @ts-check
/** Opus packets as an Ogg file (RFC 3533 and 7845), the form in which every browser decodes them. */

const SERIAL = 1;
const PRE_SKIP = 312; // samples at 48 kHz
const PACKET = 960; // 20 ms at 48 kHz
const MOST_SEGMENTS = 255;
const [FIRST, MIDDLE, LAST] = [2, 0, 4];

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = (value << 1) ^ (value < 0 ? 0x04c11db7 : 0);
  return value;
});

/** @param {Uint8Array} bytes packets, each behind its length (u16, little-endian) */
export function oggOfPackets(bytes) {
  const packets = [...packetsOf(bytes)];
  const pages = [page([head()], FIRST, 0, 0), page([tags()], MIDDLE, 0, 1)];
  let position = PRE_SKIP;
  for (let at = 0; at < packets.length; ) {
    const some = [];
    for (let segments = 0; at < packets.length; at++) {
      segments += Math.floor(packets[at].length / 255) + 1;
      if (some.length && segments > MOST_SEGMENTS) break;
      some.push(packets[at]);
    }
    position += some.length * PACKET;
    pages.push(page(some, at < packets.length ? MIDDLE : LAST, position, pages.length));
  }
  return concatenated(pages);
}

/** @param {Uint8Array} bytes */
function* packetsOf(bytes) {
  for (let at = 0; at + 2 <= bytes.length; ) {
    const end = at + 2 + bytes[at] + 256 * bytes[at + 1];
    if (end > bytes.length) return;
    yield bytes.subarray(at + 2, end);
    at = end;
  }
}

function head() {
  const body = new Uint8Array(19);
  body.set(letters("OpusHead"));
  const view = new DataView(body.buffer);
  view.setUint8(8, 1); // version
  view.setUint8(9, 1); // channels
  view.setUint16(10, PRE_SKIP, true);
  view.setUint32(12, 16000, true);
  return body;
}

function tags() {
  const body = new Uint8Array(8 + 4 + 6 + 4);
  body.set(letters("OpusTags"));
  body[8] = 6;
  body.set(letters("parley"), 12);
  return body;
}

function page(packets, kind, position, number) {
  const lacing = packets.flatMap(({ length }) => [
    ...Array(Math.floor(length / 255)).fill(255),
    length % 255,
  ]);
  const start = new Uint8Array(27 + lacing.length);
  const view = new DataView(start.buffer);
  start.set(letters("OggS"));
  view.setUint8(5, kind);
  view.setUint32(6, position, true);
  view.setUint32(14, SERIAL, true);
  view.setUint32(18, number, true);
  view.setUint8(26, lacing.length);
  start.set(lacing, 27);
  const whole = concatenated([start, ...packets]);
  new DataView(whole.buffer).setUint32(22, crc(whole), true);
  return whole;
}

function crc(bytes) {
  let value = 0;
  for (const byte of bytes) value = (value << 8) ^ CRC[(value >>> 24) ^ byte];
  return value >>> 0;
}

function letters(text) {
  return new TextEncoder().encode(text);
}

function concatenated(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
