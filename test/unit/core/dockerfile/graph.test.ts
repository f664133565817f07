import { describe, expect, it } from 'vitest';
import { resolveBuild } from '../../../../src/core/dockerfile/resolve.ts';
import { parseDockerfile } from '../../../../src/core/dockerfile/stages.ts';

interface Settings {
  target?: string;
  args?: Record<string, string>;
  contexts?: string[];
  platform?: string;
}

function resolve(text: string, { target = '', args = {}, contexts = [], platform = 'linux/amd64' }: Settings = {}) {
  return resolveBuild(parseDockerfile(text, 'Dockerfile'), {
    target,
    args: new Map(Object.entries(args)),
    platform,
    contextNames: new Set(contexts),
  });
}

const stagesOf = (text: string, settings?: Settings) =>
  resolve(text, settings).reached.map(({ name, index }) => name ?? index);

const FRONTEND = `FROM node:22 AS base
FROM base AS deps-prod
FROM base AS deps-dev
FROM deps-dev AS builder
FROM nginx AS nginx-base
FROM nginx-base AS production
COPY --from=builder /app/dist /usr/share/nginx/html
`;

describe('stages that a target reaches', () => {
  it.each<[string, string, Settings, (string | number)[]]>([
    ['the last stage without a target', 'FROM a\nFROM b AS c', {}, ['c']],
    [
      'a stage that feeds nothing is not reached',
      FRONTEND,
      { target: 'production' },
      ['base', 'deps-dev', 'builder', 'nginx-base', 'production'],
    ],
    ['a target in the middle', FRONTEND, { target: 'deps-prod' }, ['base', 'deps-prod']],
    ['a target in another case', FRONTEND, { target: 'Deps-Prod' }, ['base', 'deps-prod']],
    ['a target by number', 'FROM a\nFROM b\nFROM c', { target: '1' }, [1]],
    ['--from by number', 'FROM a\nFROM b\nFROM c\nCOPY --from=0 x y', {}, [0, 2]],
    ['--from in another case', 'FROM a AS Build\nFROM c\nCOPY --from=BUILD x y', {}, ['build', 1]],
    ['a bind mount from a stage', 'FROM a AS b\nFROM c\nRUN --mount=type=bind,from=b,target=/b ls', {}, ['b', 1]],
    ['a cache mount from a stage', 'FROM a AS b\nFROM c\nRUN --mount=type=cache,from=b,target=/b ls', {}, ['b', 1]],
    ['ADD --from', 'FROM a AS b\nFROM c\nADD --from=b x y', {}, ['b', 1]],
    [
      'an argument that names a stage',
      'ARG KIND=cpu\nFROM a AS cpu\nFROM b AS gpu\nFROM ${KIND} AS out',
      {},
      ['cpu', 'out'],
    ],
    [
      'an argument that names another stage',
      'ARG KIND=cpu\nFROM a AS cpu\nFROM b AS gpu\nFROM ${KIND} AS out',
      { args: { KIND: 'gpu' } },
      ['gpu', 'out'],
    ],
    ['nested arguments', 'ARG A=x\nARG B=stage-${A}\nFROM i AS stage-x\nFROM $B', {}, ['stage-x', 1]],
    ['a default in the base', 'FROM i AS d\nFROM ${MISSING:-d}', {}, ['d', 1]],
    ['an alternative in the base', 'ARG GPU=1\nFROM i AS gpu\nFROM j AS cpu\nFROM ${GPU:+gpu}', {}, ['gpu', 2]],
    [
      'the target architecture',
      'FROM i AS build-amd64\nFROM j AS build-arm64\nFROM build-${TARGETARCH}',
      { platform: 'linux/arm64' },
      ['build-arm64', 2],
    ],
    ['of two stages of one name, FROM takes the earlier one', 'FROM a AS x\nFROM x AS x\nFROM x', {}, ['x', 'x', 2]],
    [
      'a named context that replaces a stage',
      'FROM a AS deps\nFROM deps AS b\nFROM c\nCOPY --from=b x y',
      { contexts: ['b'] },
      ['b', 2],
    ],
    [
      'an ONBUILD that takes from a stage',
      'FROM a AS src\nFROM b AS parent\nONBUILD COPY --from=src x y\nFROM parent',
      {},
      ['src', 'parent', 2],
    ],
    [
      "a builder's platform in the base reaches every earlier stage",
      'FROM a AS x\nFROM b AS y\nFROM build-$BUILDARCH',
      {},
      ['x', 'y', 2],
    ],
  ])('%s', (_, text, settings, expected) => {
    expect(stagesOf(text, settings)).toEqual(expected);
  });

  it('refuse a target that is no stage, and name those there are', () => {
    expect(() => resolve(FRONTEND, { target: 'prod' })).toThrow(/no stage "prod"; its stages are base, deps-prod/);
  });

  it.each([
    ['', /empty/],
    ['# only a comment\n', /empty/],
    ['RUN x\n', /no FROM/],
    ['RUN x\nFROM a\n', /RUN stands before/],
    ['FROM\n', /FROM base/],
    ['FROM a b\n', /FROM base/],
  ])('refuse a file that is no Dockerfile: %j', (text, message) => {
    expect(() => parseDockerfile(text, 'Dockerfile')).toThrow(message);
  });
});

describe('images from outside', () => {
  it.each<[string, string, Settings, string[]]>([
    ['bases of reached stages only', 'FROM a AS x\nFROM b AS y\nFROM c\nCOPY --from=y / /', {}, ['b', 'c']],
    ['--from of an image', 'FROM a\nCOPY --from=ghcr.io/o/i:1 x y', {}, ['a', 'ghcr.io/o/i:1']],
    ['a mount from an image', 'FROM a\nRUN --mount=from=uv:1,target=/u ls', {}, ['a', 'uv:1']],
    ['expanded names', 'ARG V=3.12\nFROM python:${V}-slim', {}, ['python:3.12-slim']],
    ['arguments from the row', 'ARG V=3.12\nFROM python:${V}-slim', { args: { V: '3.13' } }, ['python:3.13-slim']],
    ['scratch is none', 'FROM scratch', {}, []],
    ['a named context is none', 'FROM wheels', { contexts: ['wheels'] }, []],
  ])('%s', (_, text, settings, expected) => {
    expect(resolve(text, settings).images).toEqual(expected);
  });
});

describe('what a build reads from contexts', () => {
  const sources = (text: string, settings?: Settings) =>
    resolve(text, settings).contextReads.map(({ source, widened }) =>
      widened === undefined ? source : `all: ${widened}`,
    );

  it.each<[string, string, string[], Settings?]>([
    ['plain sources, cleaned', 'COPY ./a/ b/../c ../d /e /dest/', ['a', 'c', 'd', 'e']],
    ['the whole context', 'COPY . .', ['']],
    ['the JSON form with blanks', 'COPY ["a b", "c", "/x"]', ['a b', 'c']],
    ['nothing for a heredoc', 'COPY <<EOF /x\nhello\nEOF', []],
    ['the file beside a heredoc', 'COPY a <<EOF /x/\nhello\nEOF', ['a']],
    ['nothing for --from', 'COPY --from=img a b', []],
    ['nothing for a remote ADD', 'ADD https://example.com/a.tar git@github.com:o/r.git /x', []],
    ['the local part of an ADD', 'ADD a https://example.com/b /x/', ['a']],
    ['a bind mount', 'RUN --mount=type=bind,source=src,target=/src make', ['src']],
    ['a bind mount by its default type', 'RUN --mount=src=go.sum,target=go.sum go mod download', ['go.sum']],
    ['a bind mount of everything', 'RUN --mount=type=bind,target=. make', ['']],
    [
      'no cache, secret or tmpfs mount',
      'RUN --mount=type=cache,target=/c --mount=type=secret,id=s --mount=type=tmpfs,target=/t x',
      [],
    ],
    ['an argument with a default', 'ARG D=src\nCOPY ${D}/x .', ['src/x']],
    ['an argument of the row', 'ARG D=src\nCOPY ${D}/x .', ['lib/x'], { args: { D: 'lib' } }],
    ['an ENV before an ARG', 'ARG D=src\nENV D=env\nCOPY $D .', ['env']],
    ['an ENV of an ARG', 'ARG D=src\nENV P=${D}/deep\nCOPY $P .', ['src/deep']],
    ['the old form of ENV', 'ENV P a b\nCOPY "$P" .', ['a b']],
    ['the target platform where it is declared', 'ARG TARGETARCH\nCOPY bin-$TARGETARCH .', ['bin-amd64']],
    ['everything for an argument that nothing sets', 'ARG D\nCOPY $D/x .', ['all: $D is known only to the build']],
    ['everything for a variable of the base image', 'COPY $GOPATH/x .', ['all: $GOPATH is known only to the build']],
    [
      'everything for a platform that only the builder knows',
      'ARG BUILDARCH\nCOPY bin-$BUILDARCH .',
      ['all: $BUILDARCH is known only to the build'],
    ],
    ['everything for quotes that do not end', 'COPY "a b .', ['all: ""a" has a quote without an end', 'b']],
    ['everything for a variable in --from', 'COPY --from=$X a b', ['all: --from=$X holds a variable']],
  ])('%s', (_, instructions, expected, settings) => {
    expect(sources(`FROM image\n${instructions}\n`, settings)).toEqual(expected);
  });

  it('knows every variable on scratch: one that is not set is empty', () => {
    expect(sources('FROM scratch\nCOPY a$X b')).toEqual(['a']);
  });

  it('inherits ENV and ARG from a parent stage', () => {
    expect(sources('FROM i AS p\nARG A=a\nENV E=e\nFROM p\nCOPY $A $E /x/')).toEqual(['a', 'e']);
  });

  it('takes a global ARG into a stage only where the stage declares it', () => {
    expect(sources('ARG A=a\nFROM i AS p\nARG A\nCOPY $A /x')).toEqual(['a']);
    expect(sources('ARG A=a\nFROM i AS p\nCOPY $A /x')).toEqual(['all: $A is known only to the build']);
  });

  it('runs ONBUILD of a parent stage in its child', () => {
    expect(sources('FROM i AS p\nONBUILD COPY late /x\nFROM p')).toEqual(['late']);
    expect(resolve('FROM i\nONBUILD COPY . /x').defersReads).toBe(true);
  });

  it('reads everything on an image that may copy by ONBUILD', () => {
    expect(sources('FROM node:22-onbuild')).toEqual(['all: "node:22-onbuild" may copy the context by ONBUILD']);
  });

  it("tells reads of a named context from those of the build's own", () => {
    const build = resolve('FROM wheels AS w\nFROM i\nCOPY --from=assets logo.png /x\nCOPY --from=w / /w', {
      contexts: ['wheels', 'assets'],
    });
    expect(build.namedReads.map(({ from, source }) => [from, source])).toEqual([
      ['wheels', ''],
      ['assets', 'logo.png'],
    ]);
    expect(build.contextReads).toEqual([]);
  });

  it('lists remote sources', () => {
    expect(resolve('FROM i\nADD https://example.com/a /x').remotes).toEqual([
      { address: 'https://example.com/a', line: 2 },
    ]);
  });
});

describe('the instructions that make two builds the same', () => {
  const text = 'FROM a AS unused\nRUN one\nFROM b AS x\nRUN two\nFROM x\nARG V=1\nRUN three\n';
  it.each<[string, string, boolean]>([
    ['an edit in a stage that nothing reaches', text.replace('RUN one', 'RUN other'), true],
    ['a stage more that nothing reaches', `FROM z AS more\n${text}`, true],
    ['a comment', `# why\n${text}`, true],
    ['other line breaks', text.replace('RUN two', 'RUN \\\n  two').replace('RUN   two', 'RUN two'), true],
    ['an edit in a reached stage', text.replace('RUN two', 'RUN other'), false],
    ['another base', text.replace('FROM b', 'FROM c'), false],
    ['another default', text.replace('V=1', 'V=2'), false],
    ['another escape token', `# escape=\`\n${text}`, false],
  ])('%s', (_, edited, isSame) => {
    const same = JSON.stringify(resolve(edited).instructions) === JSON.stringify(resolve(text).instructions);
    expect(same).toBe(isSame);
  });
});
