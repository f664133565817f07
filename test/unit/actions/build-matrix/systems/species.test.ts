import { describe, expect, it } from 'vitest';
import { type Files, TemporaryRepository } from '../../../core/git/temporary-repository.ts';
import { runPlan, runPush } from '../plan-step.ts';

const python = (sources: string): string =>
  `FROM python:3.9-slim\nWORKDIR /app\nCOPY ${sources} ./\nCMD ["python", "main.py"]\n`;

/** `Dockerfile.<name>` files of one folder that need different contexts, and a root one that no clean checkout builds. */
const REPOSITORY: Files = {
  '.gitignore': 'models/\n',
  Dockerfile: 'FROM python:3.9-slim\nCOPY src /app/src\nCOPY models /app/models\nEXPOSE 7860\n',
  'docker/Dockerfile.simple': python('requirements.txt main.py'),
  'docker/Dockerfile.img2vid': python('requirements.txt img2vid.py'),
  'docker/Dockerfile.gradio': python('requirements.txt app.py'),
  'docker/Dockerfile.video': python('img2vid.py'),
  'docker/Dockerfile.train': python('src/train.py'),
  'docker/Dockerfile.predict': python('src/predict.py docker/requirements.txt'),
  'docker/Dockerfile.server': python('server.py requirements.txt'),
  ...Object.fromEntries(
    ['requirements.txt', 'main.py', 'img2vid.py', 'app.py'].map((name) => [`docker/${name}`, 'x\n']),
  ),
  'src/train.py': 'x\n',
  'src/predict.py': 'x\n',
  'notes/containerization.md': 'x\n',
};

describe('Dockerfiles of one folder that need three contexts', () => {
  it('get each its own, or are refused with what is missing where', async () => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    const { rows, log, summary } = await runPlan(repository);
    expect(Object.fromEntries(rows.map(({ image, context }) => [image, context]))).toEqual({
      'my-app': '.',
      simple: 'docker',
      img2vid: 'docker',
      gradio: 'docker',
      video: 'docker',
      train: '.',
      predict: '.',
    });
    const reason =
      'no folder can be the context: "server.py" (line 3) is not in "docker"; "server.py" (line 3) is not in the root';
    expect(log).toContain(`::warning title=Not an image,file=docker/Dockerfile.server,line=3::${reason}`);
    expect(summary).toContain('### No images');
  });

  it('say that a clean checkout lacks what git ignores, until it is named as a model', async () => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    expect((await runPlan(repository)).log).toContain(
      '::warning title=COPY source,file=Dockerfile,line=3::"models" is not in a clean checkout: git ignores "models"; if a step makes it or fetches it, name it in "models"',
    );
    await repository.commit({ '.github/images.yml': 'images:\n  app: { models: [models/best.pt] }\n' });
    expect((await runPlan(repository)).log).not.toContain('::warning');
  });

  it.each<[string, Files, string[]]>([
    ['a file that two copy', { 'docker/img2vid.py': 'y\n' }, ['img2vid', 'video']],
    ['requirements across contexts', { 'docker/requirements.txt': 'y\n' }, ['gradio', 'img2vid', 'predict', 'simple']],
    ['a file at the root', { 'src/train.py': 'y\n' }, ['my-app', 'train']],
    ['notes', { 'notes/containerization.md': 'y\n' }, []],
  ])('%s', async (_, files, expected) => {
    await using repository = await TemporaryRepository.create(REPOSITORY);
    const before = await repository.id('HEAD');
    await repository.commit(files);
    const { rows } = await runPush(repository, before);
    expect(rows.map(({ image }) => image).sort()).toEqual(expected);
  });
});
