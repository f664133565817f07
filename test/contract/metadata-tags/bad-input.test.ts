import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { push } from '../../harness/github-events.ts';
import { type BundleStep, runBundle } from './run-bundle.ts';

/** An input that is wrong, and the whole line that the log shows for it. */
const rows: readonly (readonly [inputs: Readonly<Record<string, string>>, message: string])[] = [
  [
    { tags: 'type=sha\n\ntype=raw,value=x,enabled=false' },
    'input "tags": line 3: "enabled" is no attribute of type=raw; did you mean "enable"?',
  ],
  [
    { tags: 'type=sha,patern=x' },
    'input "tags": line 1: "patern" is no attribute of type=sha; it knows type, enable, priority, prefix, suffix, format',
  ],
  [
    { tags: 'type=semver,patern={{version}}' },
    'input "tags": line 1: "patern" is no attribute of type=semver; did you mean "pattern"?',
  ],
  [
    { tags: '# a comment\ntype=smever,pattern={{version}}' },
    'input "tags": line 2: "type" is "smever"; it must be one of schedule, semver, pep440, match, edge, ref, raw, sha; did you mean "semver"?',
  ],
  [
    { tags: 'type=ref,event=tags' },
    'input "tags": line 1: "event" is "tags"; it must be one of branch, tag, pr; did you mean "tag"?',
  ],
  [
    { tags: 'type=sha,format=shrot' },
    'input "tags": line 1: "format" is "shrot"; it must be short or long; did you mean "short"?',
  ],
  [
    { tags: 'type=ref,event=brnch\ntype=sha\ntype=smever,pattern=x' },
    'input "tags": line 1: "event" is "brnch"; it must be one of branch, tag, pr; did you mean "branch"?; line 3: "type" is "smever"; it must be one of schedule, semver, pep440, match, edge, ref, raw, sha; did you mean "semver"?',
  ],
  [{ tags: 'type=ref' }, 'input "tags": line 1: type=ref needs "event", as in type=ref,event=branch'],
  [
    { tags: 'type=raw,a,b' },
    'input "tags": line 1: both "a" and "b" are values; write each on a line of its own, or quote a value that holds a comma',
  ],
  [{ tags: 'type=raw,value=a,value=b' }, 'input "tags": line 1: "value" is given twice ("a" and "b")'],
  [{ tags: 'type=sha,"prefix=a' }, 'input "tags": line 1: the quote before "prefix=a" is not closed'],
  [
    { tags: 'type=sha\ntype=raw,value=x,enable=maybe' },
    'input "tags": line 2: "enable" came out as "maybe"; it must be true or false',
  ],
  [{ tags: 'type=sha,priority=high' }, 'input "tags": line 1: "priority" is "high", which is no number'],
  [
    { tags: 'type=match,pattern=v,group=one' },
    'input "tags": line 1: "group" is "one"; it must be the number of a capture group',
  ],
  [
    { tags: "type=raw,value={{date 'YYYY' tz='Mars/X'}}" },
    'input "tags": line 1: tz=\'Mars/X\' is no time zone; write an IANA name such as UTC or Europe/Paris',
  ],
  [
    { tags: "type=raw,value={{daet 'YYYY'}}" },
    'input "tags": line 1: {{daet …}} is no helper; there are date and commit_date',
  ],
  [
    { flavor: 'latest=auto\nlatets=true' },
    'input "flavor": line 2: "latets" is no attribute of flavor; did you mean "latest"?',
  ],
  [
    { flavor: 'latest=ture' },
    'input "flavor": line 1: "latest" is "ture"; it must be one of auto, true, false; did you mean "true"?',
  ],
  [
    { flavor: "suffix={{date 'YYYY' zone='UTC'}}" },
    "input \"flavor\": {{date}} takes one format and tz, as in {{date 'YYYYMMDD' tz='Europe/Paris'}}",
  ],
  [
    { images: 'ghcr.io/acme/app\nhttps://ghcr.io/acme/app' },
    'input "images": line 2: "https://ghcr.io/acme/app" is no image name: leave out the scheme, as in ghcr.io/acme/app',
  ],
  [
    { images: 'ghcr.io/acme/my app' },
    'input "images": line 1: "ghcr.io/acme/my app" is no image name: it holds a blank',
  ],
  [
    { images: 'ghcr.io/acme/app:1' },
    'input "images": line 1: "ghcr.io/acme/app:1" is no image name: leave out the tag; rules in "tags" make it',
  ],
  [
    { images: 'name=ghcr.io/acme/app,enabel=false' },
    'input "images": line 1: "enabel" is no attribute of an image; did you mean "enable"?',
  ],
  [
    { labels: 'a=1\nb={{#if}' },
    expect.stringMatching(/^input "labels": line 2: "b=\{\{#if\}" is no template: Parse error/),
  ],
  [{ context: 'workflwo' }, 'input "context": "workflwo" is none of workflow, git; did you mean workflow?'],
  [
    { context: 'git' },
    'input "context": "git" needs a commit that is checked out, and the workspace is no repository; run actions/checkout before',
  ],
  [
    { variant: 'g/pu' },
    'input "variant": "-g/pu" cannot end a tag; a variant is made of at most 63 of A-Z, a-z, 0-9, ".", "_" and "-"',
  ],
  [{ matrix: '{' }, 'input "matrix": this is no JSON; give a row as ${{ toJSON(matrix) }}'],
  [{ 'on-collision': 'wran' }, 'input "on-collision": "wran" is none of error, warn; did you mean warn?'],
];

const switches: readonly (readonly [name: string, value: string, message: string])[] = [
  [
    'DOCKER_METADATA_SHORT_SHA_LENGTH',
    '-3',
    'DOCKER_METADATA_SHORT_SHA_LENGTH is "-3"; it must be a whole number from 4 to 64',
  ],
  [
    'DOCKER_METADATA_ANNOTATIONS_LEVELS',
    'indx',
    'DOCKER_METADATA_ANNOTATIONS_LEVELS holds "indx"; there are manifest, index, manifest-descriptor, index-descriptor',
  ],
  ['DOCKER_METADATA_SET_OUTPUT_ENV', 'maybe', 'DOCKER_METADATA_SET_OUTPUT_ENV is "maybe"; it must be true or false'],
];

/** One line says what is wrong; no output, no variable, no file and no summary leaves the step. */
async function expectRefusal(step: BundleStep, message: string): Promise<void> {
  const temp = await mkdtemp(join(tmpdir(), 'metadata-tags-bad-'));
  try {
    const result = await runBundle({
      ...step,
      event: push('refs/tags/v1.2.3'),
      env: { ...step.env, RUNNER_TEMP: temp },
    });
    expect(result.said('error')).toEqual([message]);
    expect(result.exitCode).toBe(1);
    expect([result.outputs, result.env, result.path, result.state]).toEqual([{}, {}, [], {}]);
    expect(result.summary).toBe('');
    expect((await readdir(temp)).filter((name) => name.startsWith('metadata-tags-'))).toEqual([]);
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

test.concurrent.each(rows)('%j', (inputs, message) => expectRefusal({ inputs }, message));

test.concurrent.each(switches)('%s=%s', (name, value, message) => expectRefusal({ env: { [name]: value } }, message));
