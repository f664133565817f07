const words = (text: string): string[] => text.trim().split(/\s+/);

const TORCH_STORAGES = words(
  `BFloat16 Bool Byte Char ComplexDouble ComplexFloat Double Float Half Int Long QInt32 QInt8 QUInt2x4 QUInt4x2 QUInt8 Short`,
).map((type) => `${type}Storage`);

const TORCH_DTYPES = words(
  `bfloat16 bool complex128 complex64 complex32 float16 float32 float64 half int16 int32 int64 int8 uint8 uint16 uint32
   uint64 qint32 qint8 quint8 float8_e4m3fn float8_e5m2`,
);

/** Quantization schemes, layouts and memory formats, which are values and not functions. */
const TORCH_CONSTANTS = words(
  `per_tensor_affine per_channel_affine per_tensor_symmetric per_channel_symmetric per_channel_affine_float_qparams
   strided sparse_coo sparse_csr sparse_csc sparse_bsr sparse_bsc jagged contiguous_format preserve_format channels_last
   channels_last_3d`,
);

/** Activations that layers keep as attributes: they map tensors to tensors. */
const ACTIVATIONS = words(
  `relu relu6 gelu silu mish elu selu celu leaky_relu prelu sigmoid tanh softplus softsign softmax log_softmax logsigmoid
   hardtanh hardswish hardsigmoid tanhshrink softshrink hardshrink glu`,
);

const NUMPY_TYPES = words(
  `dtype ndarray matrix recarray record float16 float32 float64 longdouble float128 complex64 complex128 clongdouble
   complex256 int8 int16 int32 int64 intc longlong uint8 uint16 uint32 uint64 uintc ulonglong bool bool_ str_ bytes_ void
   object_ datetime64 timedelta64`,
);

/** Functions of arrays that estimators keep as attributes: they compute, and call nothing that they are given. */
const NUMPY_FUNCTIONS = words(
  `add subtract multiply divide true_divide floor_divide power mod remainder negative absolute abs fabs sign rint floor ceil
   trunc exp exp2 expm1 log log2 log10 log1p sqrt cbrt square reciprocal sin cos tan arcsin arccos arctan sinh cosh tanh
   maximum minimum fmax fmin clip isnan isfinite isinf mean median average sum prod std var min max amin amax nanmean
   nanmedian nanmax nanmin`,
);

const CONTAINERS = new Set(
  words(
    `bool bytearray bytes complex dict float frozenset int list object range set slice str tuple unicode long xrange
    Ellipsis NotImplemented`,
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
  ['torch', new Set([...TORCH_STORAGES, ...TORCH_DTYPES, ...TORCH_CONSTANTS, 'Size', 'Tensor', 'device', 'dtype'])],
  ['torch.nn.functional', new Set(ACTIVATIONS)],
  // `_load_from_bytes` loads a model of its own: the interpreter reads that where it is called, and nowhere else.
  ['torch.storage', new Set(words('TypedStorage UntypedStorage _TypedStorage _UntypedStorage _load_from_bytes'))],
  [
    'torch._utils',
    new Set(
      words(
        `_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter _rebuild_parameter_with_state
        _rebuild_qtensor _rebuild_sparse_tensor _rebuild_sparse_csr_tensor _rebuild_nested_tensor
        _rebuild_device_tensor_from_numpy _rebuild_meta_tensor_no_storage`,
      ),
    ),
  ],
  ['torch.nn.parameter', new Set(words('Parameter Buffer'))],
  ['torch.serialization', new Set(['_get_layout'])],
  ['numpy', new Set([...NUMPY_TYPES, ...NUMPY_FUNCTIONS])],
  // Where numpy before 2 says that its element-wise functions stand.
  ['numpy.core._multiarray_umath', new Set(NUMPY_FUNCTIONS)],
  ['numpy._core._multiarray_umath', new Set(NUMPY_FUNCTIONS)],
  ['numpy.core.multiarray', NUMPY_MULTIARRAY],
  ['numpy._core.multiarray', NUMPY_MULTIARRAY],
  ['numpy.core.numeric', new Set(['_frombuffer'])],
  ['numpy._core.numeric', new Set(['_frombuffer'])],
]);
