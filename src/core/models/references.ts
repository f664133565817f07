import { lstatSync, realpathSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { ModelFinding, Reference } from './model-finding.ts';

const MAX_FINDINGS = 20;

/**
 * The files beside a model that its loader reads with it, such as external data of ONNX: each must be a plain file inside
 * the model's folder. A link there, or a second name of the same file, leads a loader that writes to what it stands for.
 */
export function checkReferences(file: string, references: readonly Reference[]): readonly ModelFinding[] {
  const folder = dirname(file);
  const findings: ModelFinding[] = [];
  for (const reference of references) {
    const message = whyWrong(folder, reference);
    if (message !== undefined && findings.length < MAX_FINDINGS)
      findings.push({
        ...message,
        rule: 'external-data',
        message: `${JSON.stringify(reference.path.slice(0, 120))} ${message.message}`,
      });
  }
  return findings;
}

function whyWrong(folder: string, reference: Reference): Pick<ModelFinding, 'severity' | 'message'> | undefined {
  const path = join(folder, reference.path);
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return { severity: 'mismatch', message: 'holds weights of it and is not there' };
  if (stats.isSymbolicLink()) return { severity: 'suspicious', message: 'holds weights of it and is a symbolic link' };
  if (stats.isFile() && stats.size < reference.bytes) {
    const message = `holds weights of it up to byte ${reference.bytes}, but has ${stats.size}`;
    return { severity: 'mismatch', message };
  }
  if (!stats.isFile()) return { severity: 'suspicious', message: 'holds weights of it and is no file' };
  if (relative(realpathSync(folder), realpathSync(path)).startsWith('..'))
    return { severity: 'dangerous', message: "leads out of the model's folder" };
  return stats.nlink > 1
    ? { severity: 'suspicious', message: 'holds weights of it and has a second name elsewhere' }
    : undefined;
}
