import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What somebody does to the files of a repository before a commit. */
export type Change = (folder: string) => void;

export const append =
  (file: string, line: string): Change =>
  (folder) =>
    appendFileSync(path.join(folder, file), `${line}\n`);

export const write =
  (file: string, text: string): Change =>
  (folder) => {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  };

/** Throws when the text is not there: a change that changes nothing would show nothing. */
export const replace =
  (file: string, text: string, by: string): Change =>
  (folder) => {
    const before = readFileSync(path.join(folder, file), 'utf8');
    if (!before.includes(text)) throw new Error(`${file} holds no ${JSON.stringify(text)}`);
    writeFileSync(
      path.join(folder, file),
      before.replaceAll(text, () => by),
    );
  };
