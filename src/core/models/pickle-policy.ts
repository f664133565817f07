/** What an import of a pickle means for who loads it. */
export type ImportVerdict = 'harmless' | 'suspicious' | 'dangerous';

/**
 * Judges the import of `module.name` by a pickle.
 *
 * Known harmless are the names that frameworks need to rebuild arrays and containers, one by one. Known dangerous are
 * modules that run code, reach files or the network, or walk to those that do, with all their submodules. Everything
 * else is suspicious: a list of what is bad is never whole. `allowed` holds `module.name` or `module.*` of the user's;
 * it can make a suspicious name harmless, never a dangerous one.
 */
export function judgeImport(module: string, name: string, allowed: ReadonlySet<string>): ImportVerdict {
  if (isDangerous(module, name)) return 'dangerous';
  if (HARMLESS.get(module)?.has(name) === true) return 'harmless';
  if (allowed.has(`${module}.${name}`)) return 'harmless';
  // A dotted name walks attributes: only its own entry allows it.
  return !name.includes('.') && allowed.has(`${module}.*`) ? 'harmless' : 'suspicious';
}

function isDangerous(module: string, name: string): boolean {
  const parts = module.split('.');
  for (let length = parts.length; length > 0; length -= 1) {
    if (DANGEROUS_MODULES.has(parts.slice(0, length).join('.'))) return true;
  }
  const names = name.split('.');
  if (DANGEROUS_NAMES.get(module)?.has(names[0] ?? '') === true) return true;
  // `eval.__call__`, `OrderedDict.__init__.__globals__`: attributes of attributes reach everything.
  return names.length > 1 && names.some((part) => part.startsWith('__') || DANGEROUS_ATTRIBUTES.has(part));
}

const words = (text: string): string[] => text.trim().split(/\s+/);

const DANGEROUS_ATTRIBUTES: ReadonlySet<string> = new Set(
  words('eval exec compile open system popen getattr setattr globals locals func_globals gi_frame f_globals modules'),
);

const BUILTINS = new Set(
  words(`apply breakpoint compile copyright credits delattr dir eval exec execfile exit file getattr globals hasattr help
    input intern license locals memoryview open print quit raw_input reduce reload setattr super type vars __import__
    __build_class__ __loader__ __spec__`),
);

const DANGEROUS_NAMES: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['builtins', BUILTINS],
  ['__builtin__', BUILTINS],
  ['__builtins__', BUILTINS],
  ['torch', new Set(words('load save compile jit hub package classes ops serialization'))],
  ['torch.storage', new Set(['_load_from_bytes'])],
  ['torch.serialization', new Set(words('load save _load _legacy_load'))],
  ['torch.jit', new Set(words('load script trace unpickler'))],
  [
    'numpy',
    new Set(words('load save fromfile memmap loadtxt genfromtxt fromregex f2py testing ctypeslib lib __builtins__')),
  ],
  ['pandas', new Set(words('read_pickle eval read_csv read_sql to_pickle'))],
  ['joblib', new Set(words('load dump Parallel Memory'))],
  ['copyreg', new Set(words('add_extension pickle constructor'))],
  ['copy_reg', new Set(words('add_extension pickle constructor'))],
]);

const DANGEROUS_MODULES: ReadonlySet<string> = new Set(
  words(`
    os posix nt ntpath posixpath sys _sys subprocess _posixsubprocess commands popen2 shutil signal pty tty termios resource
    importlib imp _imp _frozen_importlib _frozen_importlib_external runpy pkgutil zipimport zipapp pip ensurepip venv
    setuptools pkg_resources distutils site sysconfig _sysconfig
    code codeop pdb bdb cmd trace tracemalloc timeit profile cProfile pstats doctest unittest test _testcapi _testinternalcapi
    pydoc pydoc_data idlelib lib2to3 turtle turtledemo antigravity webbrowser rlcompleter readline _pyrepl
    ctypes _ctypes cffi _cffi_backend mmap fcntl gc inspect dis ast symtable marshal types operator _operator functools
    _functools itertools weakref _weakref atexit faulthandler sched threading _thread concurrent multiprocessing
    _multiprocessing asyncio _asyncio selectors select
    socket _socket ssl _ssl socketserver http urllib urllib2 urllib3 requests aiohttp httpx ftplib smtplib smtpd imaplib
    poplib nntplib telnetlib xmlrpc xmlrpclib wsgiref cgi cgitb
    io _io _pyio pickle _pickle cPickle pickletools dill cloudpickle shelve dbm sqlite3 _sqlite3 tempfile glob fileinput
    linecache tokenize mailbox mailcap netrc tarfile zipfile gzip bz2 lzma logging warnings platform getpass
    _osx_support _aix_support nturl2path xml plistlib configparser curses ctypes.util
    torch.hub torch.package torch.utils.cpp_extension torch._dynamo torch._inductor torch.distributed torch.multiprocessing
    torch.utils.data torch.utils._config_module torch.utils.collect_env torch.utils.bottleneck torch.fx torch.ao
    torch.jit._script torch.testing
    numpy.f2py numpy.distutils numpy.testing numpy.ctypeslib numpy.lib numpy.__builtins__ numpy.ma.core
    pandas.io scipy.io sympy IPython jinja2 mako paramiko fabric invoke pexpect psutil sh plumbum
    fickling picklescan modelscan modelaudit saferpickle
  `),
);

const TORCH_STORAGES = words(
  `BFloat16 Bool Byte Char ComplexDouble ComplexFloat Double Float Half Int Long QInt32 QInt8 QUInt2x4 QUInt4x2 QUInt8 Short`,
).map((type) => `${type}Storage`);

const TORCH_DTYPES = words(
  `bfloat16 bool complex128 complex64 complex32 float16 float32 float64 half int16 int32 int64 int8 uint8 uint16 uint32
   uint64 qint32 qint8 quint8 float8_e4m3fn float8_e5m2`,
);

const CONTAINERS = new Set(
  words(
    'bool bytearray bytes complex dict float frozenset int list object range set slice str tuple unicode long xrange',
  ),
);
const NUMPY_MULTIARRAY = new Set(words('_reconstruct scalar'));

const HARMLESS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['builtins', CONTAINERS],
  ['__builtin__', CONTAINERS],
  ['collections', new Set(words('OrderedDict defaultdict deque Counter'))],
  // Protocols below 3 write bytes as `_codecs.encode(text, "latin1")`.
  ['_codecs', new Set(['encode'])],
  ['copyreg', new Set(['_reconstructor'])],
  ['copy_reg', new Set(['_reconstructor'])],
  ['datetime', new Set(words('date datetime time timedelta timezone'))],
  ['decimal', new Set(['Decimal'])],
  ['fractions', new Set(['Fraction'])],
  ['pathlib', new Set(words('PosixPath PurePosixPath WindowsPath PureWindowsPath'))],
  ['argparse', new Set(['Namespace'])],
  ['torch', new Set([...TORCH_STORAGES, ...TORCH_DTYPES, 'Size', 'Tensor', 'device', 'dtype'])],
  ['torch.storage', new Set(words('TypedStorage UntypedStorage _TypedStorage _UntypedStorage'))],
  [
    'torch._utils',
    new Set(
      words(
        '_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter _rebuild_qtensor _rebuild_sparse_tensor _rebuild_meta_tensor_no_storage',
      ),
    ),
  ],
  ['torch.nn.parameter', new Set(words('Parameter Buffer'))],
  ['torch.serialization', new Set(['_get_layout'])],
  [
    'numpy',
    new Set(words('dtype ndarray float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool_')),
  ],
  ['numpy.core.multiarray', NUMPY_MULTIARRAY],
  ['numpy._core.multiarray', NUMPY_MULTIARRAY],
  ['numpy.core.numeric', new Set(['_frombuffer'])],
  ['numpy._core.numeric', new Set(['_frombuffer'])],
]);
