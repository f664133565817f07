import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigurationError } from '../runner/errors.ts';
import { formatAttributes } from './bake-definition.ts';

/** How secrets reach a build: named in the definition, their values in the environment or in private files only. */
export interface BuildSecrets {
  /** Bake's `secret` entries. */
  readonly entries: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
  /** File name → content, for values that an environment cannot hold. */
  readonly files: ReadonlyMap<string, string>;
  /** Values to be masked before anything is printed. */
  readonly values: readonly string[];
}

export interface SecretInputs {
  /** Id → value. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Id → variable of the environment. */
  readonly secretEnvs: ReadonlyMap<string, string>;
  /** Id → file. */
  readonly secretFiles: ReadonlyMap<string, string>;
  /** Folder for values that are too large for the environment. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Linux takes at most 128 KiB in one variable; BuildKit takes secrets of up to 500 KB. */
const MAX_VARIABLE = 100_000;
const MAX_SECRET = 500_000;

/** Throws ConfigurationError for an id that BuildKit would not take, a secret that is missing or one that is too large. */
export function planSecrets(inputs: SecretInputs): BuildSecrets {
  const entries: string[] = [];
  const environment = new Map<string, string>();
  const files = new Map<string, string>();
  for (const [id, value] of inputs.secrets) {
    checkId(id);
    if (value.length > MAX_SECRET)
      throw new ConfigurationError(`the secret "${id}" is larger than the ${MAX_SECRET} bytes that BuildKit takes`);
    const name = `SLIPWAY_SECRET_${environment.size + files.size + 1}`;
    if (Buffer.byteLength(value) <= MAX_VARIABLE && !value.includes('\0')) {
      environment.set(name, value);
      entries.push(formatAttributes({ id, env: name }));
    } else {
      files.set(name, value);
      entries.push(formatAttributes({ id, src: join(inputs.folder, name) }));
    }
  }
  for (const [id, variable] of inputs.secretEnvs) {
    checkId(id);
    if (inputs.environment[variable] === undefined) {
      throw new ConfigurationError(
        `the secret "${id}" is to come from the environment variable ${variable}, which is not set`,
      );
    }
    entries.push(formatAttributes({ id, env: variable }));
  }
  for (const [id, src] of inputs.secretFiles) {
    checkId(id);
    entries.push(formatAttributes({ id, src }));
  }
  return { entries, environment, files, values: [...inputs.secrets.values()] };
}

function checkId(id: string): void {
  // A token for a Git server names its host, with its port.
  if (!/^[\w.-]+(?::\d+)?$/.test(id))
    throw new ConfigurationError(`the id of a secret must be of letters, digits, ".", "_" and "-"`);
}

/** Writes the secrets that go by file, readable by this user alone. */
export async function writeSecretFiles(secrets: BuildSecrets, folder: string): Promise<void> {
  for (const [name, value] of secrets.files) await writeFile(join(folder, name), value, { mode: 0o600, flag: 'wx' });
}

/** Names of build arguments that look as if they held a secret: arguments stand in the image's history and provenance. */
export function argumentsLikeSecrets(names: Iterable<string>): readonly string[] {
  return [...names].filter((name) =>
    /(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY)(?:_|$)/i.test(
      name,
    ),
  );
}
