/**
 * The headers that tell a server the CRC-32 of a body, an unsigned number.
 *
 * Every request is signed with the SHA-256 of its body, which each server compares that verifies signatures: this is
 * what refuses broken bytes, by servers of 2021 as by today's. The CRC-32 is kept with the object and shown to whoever
 * asks for it; servers without it ignore it. CRC-64/NVME, which S3 adds on its own, says the same and is in no library
 * of Node's. Ceph's gateway verifies the value only when the algorithm is named beside it, as the SDKs do.
 */
export function checksumHeaders(crc32: number): Readonly<Record<string, string>> {
  return { 'x-amz-checksum-crc32': encodeCrc32(crc32), 'x-amz-sdk-checksum-algorithm': 'CRC32' };
}

/** A CRC-32 as S3 writes it: its four bytes, highest first, in base64. */
export function encodeCrc32(crc32: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32 >>> 0);
  return bytes.toString('base64');
}
