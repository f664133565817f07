/** What a pickle may never import. Nothing here can be allowed by an input. */

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Attributes that lead from any object to code. */
export const DANGEROUS_ATTRIBUTES: ReadonlySet<string> = new Set(
  words('eval exec compile open system popen getattr setattr globals locals func_globals gi_frame f_globals modules'),
);

const BUILTINS = new Set(
  words(`apply breakpoint compile copyright credits delattr dir eval exec execfile exit file getattr globals hasattr help
    input intern license locals memoryview open print quit raw_input reduce reload setattr super type vars __import__
    __build_class__ __loader__ __spec__`),
);

/** Names that are dangerous in a module that is not, as a whole. */
export const DANGEROUS_NAMES: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['builtins', BUILTINS],
  ['__builtin__', BUILTINS],
  ['__builtins__', BUILTINS],
  ['torch', new Set(words('load save compile jit hub package classes ops serialization'))],
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

/** Modules that run code, reach files or the network, or walk to those that do; their submodules too. */
export const DANGEROUS_MODULES: ReadonlySet<string> = new Set(
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
    torch.utils.data torch.utils._config_module torch.utils.collect_env torch.utils.bottleneck torch.fx torch.ao.quantization
    torch.ao.ns torch.jit._script torch.testing
    numpy.f2py numpy.distutils numpy.testing numpy.ctypeslib numpy.lib numpy.__builtins__
    pandas.io scipy.io sympy IPython jinja2 mako paramiko fabric invoke pexpect psutil sh plumbum
    fickling picklescan modelscan modelaudit saferpickle
  `),
);
