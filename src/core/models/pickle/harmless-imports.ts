const words = (text: string): string[] => text.trim().split(/\s+/);

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
const RECONSTRUCTORS = new Set(words('_reconstructor __newobj__ __newobj_ex__'));
const NUMPY_MULTIARRAY = new Set(words('_reconstruct scalar'));

/** Names that frameworks need to rebuild arrays and containers, by module. */
export const HARMLESS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['builtins', CONTAINERS],
  ['__builtin__', CONTAINERS],
  ['collections', new Set(words('OrderedDict defaultdict deque Counter'))],
  // Protocols below 3 write bytes as `_codecs.encode(text, "latin1")`.
  ['_codecs', new Set(['encode'])],
  ['copyreg', RECONSTRUCTORS],
  ['copy_reg', RECONSTRUCTORS],
  ['datetime', new Set(words('date datetime time timedelta timezone'))],
  ['decimal', new Set(['Decimal'])],
  ['fractions', new Set(['Fraction'])],
  ['pathlib', new Set(words('PosixPath PurePosixPath WindowsPath PureWindowsPath'))],
  ['argparse', new Set(['Namespace'])],
  ['torch', new Set([...TORCH_STORAGES, ...TORCH_DTYPES, 'Size', 'Tensor', 'device', 'dtype'])],
  // `_load_from_bytes` loads a model of its own: the interpreter reads that where it is called, and nowhere else.
  ['torch.storage', new Set(words('TypedStorage UntypedStorage _TypedStorage _UntypedStorage _load_from_bytes'))],
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
