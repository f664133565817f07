import type { ByteSource } from '../byte-source.ts';
import type { ModelFinding } from '../model-finding.ts';

const MAX_CODE = 16 * 1024 * 1024;
/** Operators of TorchScript that read or write the file that an argument names. */
const FILE_OPERATOR =
  /\b(?:torch\.(?:from_file|save|load)|ops\.aten\.(?:from_file|save|load)|aten::(?:from_file|save|load))\s*\(/;
/** Namespaces of operators that come with torch and its own domain libraries. */
const KNOWN_NAMESPACE = new Set([
  'aten',
  'prim',
  'prims',
  'quantized',
  'torchvision',
  'torchaudio',
  'inductor',
  'mkldnn',
  'mkldnn_prepacked',
  'xnnpack',
  'sparse',
  '_quantized',
  'torchtext',
  'c10',
  'profiler',
]);
const MAX_FINDINGS = 20;

/**
 * Reads the code of a TorchScript archive (`<root>/code/…py`): it is run by torch's own interpreter, which reaches
 * nothing but operators; those that reach files are dangerous, and those of unknown libraries suspicious.
 */
export function readTorchscriptCode(source: ByteSource, allowed: ReadonlySet<string>): readonly ModelFinding[] {
  if (source.size > MAX_CODE)
    return [{ severity: 'suspicious', rule: 'torchscript', message: 'its code is longer than is read' }];
  const code = source.read(0, source.size).toString('utf8');
  const file = FILE_OPERATOR.exec(code);
  const findings: ModelFinding[] = [];
  if (file !== null) {
    const message = `its code calls ${file[0].slice(0, -1).trim()}, which reaches files`;
    findings.push({
      severity: 'dangerous',
      rule: 'torchscript',
      message,
      offset: Buffer.byteLength(code.slice(0, file.index)),
    });
  }
  const namespaces = new Set([...code.matchAll(/\bops\.([A-Za-z_]\w*)\.\w+\s*\(/g)].map(([, name = '']) => name));
  for (const name of [...namespaces].slice(0, MAX_FINDINGS)) {
    if (KNOWN_NAMESPACE.has(name) || allowed.has(`${name}.*`)) continue;
    const message = `its code calls operators of the library ${JSON.stringify(name)}; if you know it, list "${name}.*" in "allow-globals"`;
    findings.push({ severity: 'suspicious', rule: 'torchscript', message });
  }
  return findings;
}
