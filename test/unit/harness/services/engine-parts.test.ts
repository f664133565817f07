import { expect, test } from 'vitest';
import { controlGroupFolders, mountPointsBelow } from '../../../harness/services/engine-remains.ts';
import { isFullEngine, parseDockerInfo } from '../../../harness/services/running-docker.ts';

test('finds mounts below a folder, the deepest first, with escaped spaces, and no neighbour of like name', () => {
  const mountInfo = [
    '30 1 0:1 / /run/a rw - tmpfs tmpfs rw',
    '31 1 0:1 / /run/a/b\\040c/d rw - tmpfs tmpfs rw',
    '32 1 0:1 / /run/ab rw - tmpfs tmpfs rw',
  ].join('\n');
  expect(mountPointsBelow(mountInfo, '/run/a')).toEqual(['/run/a/b c/d', '/run/a']);
});

test('looks for a control group below the root of each hierarchy and below the own group', () => {
  const mountInfo =
    '40 1 0:2 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n41 1 0:3 / /tmp rw - tmpfs tmpfs rw';
  expect(controlGroupFolders(mountInfo, '4:memory:/mine\n0::/\n', 'ours')).toEqual([
    '/sys/fs/cgroup/memory/ours',
    '/sys/fs/cgroup/memory/mine/ours',
  ]);
});

const containerd = [['driver-type', 'io.containerd.snapshotter.v1']];

test.each([
  [{ ServerVersion: '28.5.2+dfsg4', DriverStatus: containerd }, true],
  [{ ServerVersion: '28.5.2', DriverStatus: [['Backing Filesystem', 'extfs']] }, false],
  [{ ServerVersion: '20.10.24', DriverStatus: containerd }, false],
])('judges the engine %j', (info, expected) => {
  const found = parseDockerInfo(JSON.stringify(info));
  expect(found && isFullEngine({ host: 'unix:///x', ...found })).toBe(expected);
});

test('takes the client’s own answer without a server for no engine', () => {
  expect(parseDockerInfo('{"ClientInfo":{},"ServerErrors":["refused"]}')).toBeUndefined();
});
