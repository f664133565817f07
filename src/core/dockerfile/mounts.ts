import type { Instruction } from './instructions.ts';

/** One `--mount` of a RUN. */
export interface Mount {
  readonly type: string;
  readonly from: string | undefined;
  readonly source: string | undefined;
  /** All of its options by name, in lower case: `id`, `target`, `sharing`, `uid`, … */
  readonly options: ReadonlyMap<string, string>;
}

/** The mounts of a RUN. Fields are CSV: `--mount=type=bind,"source=a,b"`; the default type is `bind`. */
export function readMounts(instruction: Instruction): readonly Mount[] {
  return instruction.flags.flatMap(({ name, value }) => {
    if (name !== 'mount') return [];
    const fields = new Map<string, string>();
    for (const field of splitFields(value)) {
      const separator = field.indexOf('=');
      if (separator !== -1) fields.set(field.slice(0, separator).trim().toLowerCase(), field.slice(separator + 1));
    }
    const type = fields.get('type')?.toLowerCase() ?? 'bind';
    return [
      {
        type,
        from: fields.get('from') || undefined,
        source: fields.get('source') ?? fields.get('src'),
        options: fields,
      },
    ];
  });
}

function splitFields(value: string): readonly string[] {
  return (value.match(/(?:"(?:[^"]|"")*"|[^,])+/g) ?? []).map((field) =>
    field.startsWith('"') && field.endsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field,
  );
}
