// A zip file of blobs as they are (PKWARE's APPNOTE, "stored"): photos are compressed already.
const zip = (() => {
  const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
    return value;
  });

  function crc32(bytes) {
    let value = -1;
    for (let i = 0; i < bytes.length; i += 1) value = TABLE[(value ^ bytes[i]) & 255] ^ (value >>> 8);
    return (value ^ -1) >>> 0;
  }

  const pack = (fields) => {  // [bytes, value] each, little endian
    const view = new DataView(new ArrayBuffer(fields.reduce((sum, [size]) => sum + size, 0)));
    let at = 0;
    for (const [size, value] of fields) {
      if (size === 2) view.setUint16(at, value, true); else view.setUint32(at, value, true);
      at += size;
    }
    return view.buffer;
  };

  const start = (name, size, crc) => {
    const now = new Date();
    const time = now.getHours() << 11 | now.getMinutes() << 5 | now.getSeconds() >> 1;
    const date = now.getFullYear() - 1980 << 9 | now.getMonth() + 1 << 5 | now.getDate();
    return [[2, 20], [2, 0x800], [2, 0], [2, time], [2, date], [4, crc], [4, size], [4, size], [2, name.length], [2, 0]];  // names in UTF-8
  };

  // What is added to a zip file, of at most 4 GB and 65,535 files; file() is the whole of it.
  return () => {
    const parts = [], entries = [];
    let size = 0;
    return {
      async add(name, blob) {
        const named = new TextEncoder().encode(name);
        const fields = start(named, blob.size, crc32(new Uint8Array(await blob.arrayBuffer())));
        entries.push(pack([[4, 0x02014b50], [2, 20], ...fields, [2, 0], [2, 0], [2, 0], [4, 0], [4, size]]), named);
        const head = pack([[4, 0x04034b50], ...fields]);
        parts.push(head, named, blob);
        size += head.byteLength + named.length + blob.size;
      },
      get size() { return size; },
      file() {
        const list = new Blob(entries), count = entries.length / 2;
        const end = pack([[4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, list.size], [4, size], [2, 0]]);
        return new Blob([...parts, list, end], { type: "application/zip" });
      },
    };
  };
})();
