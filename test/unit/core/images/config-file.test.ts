import { describe, expect, it } from 'vitest';
import { readConfigFile } from '../../../../src/core/images/config-file.ts';

const read = (text: string) => readConfigFile(text, '.github/images.yml');

describe('image definitions', () => {
  it('resolve contexts from the root and Dockerfiles from their context', () => {
    const [api, model] = read(
      'images:\n  api: { context: ./backend/, dockerfile: Dockerfile_CPU }\n  model: { dockerfile: yolo/Dockerfile }\n',
    );
    expect([api?.context, api?.dockerfile]).toEqual(['backend', 'backend/Dockerfile_CPU']);
    expect([model?.context, model?.dockerfile]).toEqual(['.', 'yolo/Dockerfile']);
  });

  it('let a variant win over its image, and merge arguments', () => {
    const variants = read(`images:
  worker:
    context: backend
    dockerfile: Dockerfile.base
    target: run
    args: { A: 1, B: two }
    models: [m.pt]
    variants:
      cpu: {}
      gpu: { dockerfile: Dockerfile, target: run-gpu, args: [B=3, "C=a=b"], cache-mode: max, free-disk-space: false, suffix: -cuda }
`);
    expect(variants).toMatchObject([
      {
        image: 'worker',
        variant: 'cpu',
        dockerfile: 'backend/Dockerfile.base',
        target: 'run',
        models: ['m.pt'],
        suffix: undefined,
      },
      {
        image: 'worker',
        variant: 'gpu',
        dockerfile: 'backend/Dockerfile',
        target: 'run-gpu',
        models: ['m.pt'],
        cacheMode: 'max',
        freeDiskSpace: false,
        suffix: '-cuda',
      },
    ]);
    expect(variants.map(({ args }) => Object.fromEntries(args))).toEqual([
      { A: '1', B: 'two' },
      { A: '1', B: '3', C: 'a=b' },
    ]);
  });

  it('keep the Dockerfile beside a context that a variant moves', () => {
    const [first] = read('images:\n  a: { context: x, dockerfile: D, variants: { v: { context: y } } }\n');
    expect([first?.context, first?.dockerfile]).toEqual(['y', 'y/D']);
  });

  it("understand anchors, merges and keys of the writer's own", () => {
    const found = read(
      'x-common: &common { context: app, platforms: [linux/amd64, linux/arm64] }\nimages:\n  a: { <<: *common, target: a }\n  b: { <<: *common, target: b }\n',
    );
    expect(found.map(({ context, target, platforms }) => [context, target, platforms?.length])).toEqual([
      ['app', 'a', 2],
      ['app', 'b', 2],
    ]);
  });

  it.each<[string, number, RegExp]>([
    [
      'images:\n  a:\n    contxt: x\n',
      3,
      /"images.a.contxt" is no key of an image definition; did you mean "context"\?/,
    ],
    ['images:\n  a:\n    variants:\n      gpu:\n        tagret: x\n', 5, /did you mean "target"/],
    ['images:\n  a:\n    variants: { gpu: { variants: {} } }\n', 3, /"images.a.variants.gpu.variants" is no key/],
    ['image:\n  a: {}\n', 1, /did you mean "images"/],
    ['images: {}\n', 1, /defines no image/],
    ['- a\n', 1, /must be a mapping/],
    ['images:\n  My_App: {}\n', 2, /"My_App" is no name of an image/],
    ['images:\n  a: { variants: { "G PU": {} } }\n', 2, /"G PU" is no name of a variant/],
    ['images:\n  a:\n    context: ../other\n', 3, /"..\/other" is no path inside the repository/],
    ['images:\n  a:\n    context: /etc\n', 3, /no path inside/],
    ['images:\n  a:\n    context: a\n    dockerfile: ../../x\n', 4, /no path inside/],
    ['images:\n  a:\n    context: https://github.com/o/r.git\n', 3, /must be a folder of this repository/],
    ['images:\n  a:\n    cache-mode: big\n', 3, /"images.a.cache-mode" is "big"; it must be min or max/],
    ['images:\n  a:\n    free-disk-space: maybe\n', 3, /must be true or false/],
    ['images:\n  a:\n    platforms: [amd64]\n', 3, /must be a list of platforms/],
    ['images:\n  a:\n    args: { A: [1] }\n', 3, /must be a mapping of texts/],
    ['images:\n  a: {}\n  a: {}\n', 3, /no YAML: Map keys must be unique/],
    ['images:\n  a: [\n', 3, /no YAML/],
    ['images:\n  a: *gone\n', 1, /cannot be read: Unresolved alias/],
  ])('refuse %j with the line', (text, line, message) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        name: 'ConfigurationError',
        message: expect.stringMatching(message),
        place: expect.objectContaining({ file: '.github/images.yml', line }),
      }),
    );
  });

  it('refuse a file that grows without end by its aliases', () => {
    const levels = Array.from(
      { length: 12 },
      (_, index) =>
        `x-${index}: &l${index} [${Array(10)
          .fill(index === 0 ? 'x' : `*l${index - 1}`)
          .join(', ')}]`,
    );
    expect(() => read(`${levels.join('\n')}\nimages:\n  a: {}\n`)).toThrow(/cannot be read: Excessive alias count/);
  });

  it("have no way to an object's prototype", () => {
    expect(() => read('images:\n  a:\n    __proto__: { context: x }\n')).toThrow(/is no key/);
    expect(() => read('images:\n  a:\n    constructor: x\n')).toThrow(/is no key/);
  });
});
