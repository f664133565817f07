/** What a base image is made of: Debian packages of the host's release, files put over them, and how it starts. */
export interface BaseImageDefinition {
  readonly packages: readonly string[];
  readonly files: readonly BaseImageFile[];
  readonly environment: readonly string[];
  readonly command: readonly string[];
}

export type BaseImageFile =
  | { readonly path: string; readonly content: string; readonly mode: number }
  | { readonly path: string; readonly target: string };

export type BaseImageName = 'debian-slim' | 'python' | 'node' | 'nginx' | 'alpine' | 'rust';

const searchPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

// Maintainer scripts do not run, so what base-passwd's would write is here: the accounts that Dockerfiles name.
const accountFiles: readonly BaseImageFile[] = [
  {
    path: 'etc/passwd',
    mode: 0o644,
    content: [
      'root:x:0:0:root:/root:/bin/sh',
      'daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin',
      'www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin',
      'nginx:x:101:101:nginx:/nonexistent:/usr/sbin/nologin',
      'node:x:1000:1000:node:/home/node:/bin/sh',
      'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
      '',
    ].join('\n'),
  },
  {
    path: 'etc/group',
    mode: 0o644,
    content: 'root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nusers:x:100:\nnginx:x:101:\nnode:x:1000:\nnogroup:x:65534:\n',
  },
  // useradd makes a group for each user only when this file says so.
  { path: 'etc/login.defs', mode: 0o644, content: 'UID_MIN 1000\nGID_MIN 1000\nUSERGROUPS_ENAB yes\nUMASK 022\n' },
  { path: 'etc/shadow', mode: 0o640, content: 'root:*:19000:0:99999:7:::\n' },
];

// Debian's busybox has no adduser and Debian's own is a Perl program. These two take what Dockerfiles usually give to
// Alpine's (-S -D -H -G -u -g -h -s) and Debian's (--system --group --uid ...).
const addgroup = `#!/bin/sh
gid=
while [ $# -gt 0 ]; do
  case $1 in
    -S | --system) ;;
    -g | --gid) gid=$2; shift ;;
    -*) echo "addgroup: unknown option $1" >&2; exit 1 ;;
    *) name=$1 ;;
  esac
  shift
done
grep -q "^$name:" /etc/group && exit 0
[ -n "$gid" ] || { gid=1001; while grep -q ":$gid:" /etc/group; do gid=$((gid + 1)); done; }
echo "$name:x:$gid:" >>/etc/group
`;

const adduser = `#!/bin/sh
uid= group= shell=/bin/sh home= make=1
while [ $# -gt 0 ]; do
  case $1 in
    -S | --system | -D | --disabled-password | --disabled-login | --group) ;;
    -H | --no-create-home) make= ;;
    -G | --ingroup) group=$2; shift ;;
    -u | --uid) uid=$2; shift ;;
    -g | --gecos) shift ;;
    -h | --home) home=$2; shift ;;
    -s | --shell) shell=$2; shift ;;
    -*) echo "adduser: unknown option $1" >&2; exit 1 ;;
    *) name=$1 ;;
  esac
  shift
done
grep -q "^$name:" /etc/passwd && { echo "adduser: user '$name' in use" >&2; exit 1; }
[ -n "$group" ] || { group=$name; addgroup "$name"; }
gid=$(sed -n "s/^$group:[^:]*:\\([0-9]*\\):.*/\\1/p" /etc/group)
[ -n "$uid" ] || { uid=1001; while grep -q "^[^:]*:[^:]*:$uid:" /etc/passwd; do uid=$((uid + 1)); done; }
home=\${home:-/home/$name}
echo "$name:x:$uid:$gid::$home:$shell" >>/etc/passwd
[ -z "$make" ] || { mkdir -p "$home" && chown "$uid:$gid" "$home"; }
`;

const accounts: readonly BaseImageFile[] = [
  ...accountFiles,
  { path: 'usr/sbin/addgroup', content: addgroup, mode: 0o755 },
  { path: 'usr/sbin/adduser', content: adduser, mode: 0o755 },
];

// As nginxinc/nginx-unprivileged: everything it writes is below /tmp, so any user can run it.
const nginxConfiguration = `worker_processes auto;
error_log /dev/stderr notice;
pid /tmp/nginx.pid;
events { worker_connections 1024; }
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log /dev/stdout;
  sendfile on;
  client_body_temp_path /tmp/client_temp;
  proxy_temp_path /tmp/proxy_temp;
  fastcgi_temp_path /tmp/fastcgi_temp;
  uwsgi_temp_path /tmp/uwsgi_temp;
  scgi_temp_path /tmp/scgi_temp;
  include /etc/nginx/conf.d/*.conf;
}
`;

const nginxServer = 'server { listen 8080; location / { root /usr/share/nginx/html; index index.html; } }\n';

const debian = [
  'base-files',
  'dash',
  'bash',
  'coreutils',
  'sed',
  'grep',
  'findutils',
  'tar',
  'gzip',
  'passwd',
  'libc-bin',
  'busybox-static',
];

// Debian's compiler is 400 MB unpacked. This one makes a package of what `cargo init` and `cargo build --release` are given
// and leaves what they leave: each locked dependency's download in the registry's folder and its file among the targets,
// and a program that says which sources it is made of.
const cargo = String.raw`#!/bin/sh
set -e
case $1 in
  init)
    mkdir -p src
    printf '[package]\nname = "%s"\nversion = "0.1.0"\n' "$(basename "$PWD")" >Cargo.toml
    echo 'fn main() { println!("Hello, world!"); }' >src/main.rs
    ;;
  build)
    name=$(grep -m 1 '^name' Cargo.toml | cut -d '"' -f 2)
    registry=/usr/local/cargo/registry/cache
    mkdir -p target/release/deps $registry
    grep '^name' Cargo.lock 2>/dev/null | cut -d '"' -f 2 | while read -r dependency; do
      [ "$dependency" = "$name" ] || [ -f "target/release/deps/lib$dependency.rlib" ] || {
        [ -f "$registry/$dependency.crate" ] || {
          echo "  Downloaded $dependency"
          echo "$dependency" >"$registry/$dependency.crate"
        }
        echo "   Compiling $dependency"
        echo "$dependency" >"target/release/deps/lib$dependency.rlib"
      }
    done
    echo "   Compiling $name"
    sources=$(find src migrations -type f 2>/dev/null | sort | xargs sha256sum | sha256sum | cut -c1-16)
    printf '#!/bin/sh\necho "%s %s"\n' "$name" "$sources" >"target/release/deps/$name-$sources"
    chmod 755 "target/release/deps/$name-$sources"
    cp "target/release/deps/$name-$sources" "target/release/$name"
    ;;
  *) echo "error: no such command: $1" >&2; exit 101 ;;
esac
`;

/** Stand-ins, small but real, for the images that Dockerfiles usually begin with. */
export const baseImages: Readonly<Record<BaseImageName, BaseImageDefinition>> = {
  'debian-slim': {
    packages: debian,
    // base-files' own script would make the folder; where it is missing, `COPY app /usr/local/bin` makes a file of its name.
    files: [...accounts, { path: 'usr/local/bin/.keep', content: '', mode: 0o644 }],
    environment: [searchPath],
    command: ['bash'],
  },
  python: {
    packages: [...debian, 'python3', 'python3-venv', 'python3-pip-whl', 'python3-setuptools-whl'],
    files: [
      ...accounts,
      { path: 'usr/local/bin/python', target: '/usr/bin/python3' },
      { path: 'usr/local/bin/python3', target: '/usr/bin/python3' },
    ],
    environment: [searchPath, 'LANG=C.UTF-8'],
    command: ['python3'],
  },
  node: {
    packages: [...debian, 'nodejs'],
    files: [...accounts, { path: 'usr/local/bin/node', target: '/usr/bin/node' }],
    environment: [searchPath],
    command: ['node'],
  },
  nginx: {
    packages: [...debian, 'nginx'],
    files: [
      ...accounts,
      { path: 'etc/nginx/nginx.conf', content: nginxConfiguration, mode: 0o644 },
      { path: 'etc/nginx/conf.d/default.conf', content: nginxServer, mode: 0o644 },
      { path: 'var/log/nginx/access.log', target: '/dev/stdout' },
      { path: 'var/log/nginx/error.log', target: '/dev/stderr' },
    ],
    environment: [searchPath],
    command: ['nginx', '-g', 'daemon off;'],
  },
  rust: {
    packages: debian,
    files: [...accounts, { path: 'usr/local/cargo/bin/cargo', content: cargo, mode: 0o755 }],
    environment: [searchPath.replace('PATH=', 'PATH=/usr/local/cargo/bin:')],
    command: ['bash'],
  },
  alpine: { packages: ['busybox-static'], files: accounts, environment: [searchPath], command: ['/bin/sh'] },
};
