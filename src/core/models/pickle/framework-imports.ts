/**
 * Classes of estimators, layers and their parts, which pickles of whole models name.
 *
 * Derived by reading what the packages' classes do when they are constructed without arguments, called with those of
 * `__reduce__`, or given their `__setstate__`: they set attributes. Functions are not in here, except the few that the
 * packages themselves give to `__reduce__`; a class that loads, fetches, runs or evaluates is in DANGEROUS instead.
 */

/** Packages whose classes (names with a capital first letter) set attributes and nothing else. */
const CLASS_PACKAGES: readonly RegExp[] = [
  /^sklearn\.(?:_loss|calibration|cluster|compose|covariance|cross_decomposition|decomposition|discriminant_analysis|dummy|ensemble|feature_extraction|feature_selection|gaussian_process|impute|isotonic|kernel_approximation|kernel_ridge|linear_model|manifold|mixture|model_selection|multiclass|multioutput|naive_bayes|neighbors|neural_network|pipeline|preprocessing|random_projection|semi_supervised|svm|tree)(?:\.[a-z_][a-z0-9_]*)*$/,
  /^sklearn\.utils\.(?:_bunch|_tags|_mask|_random|deprecation|murmurhash|_weight_vector)$/,
  /^sklearn\.metrics\.(?:_dist_metrics|_scorer)$/,
  /^torch\.nn\.modules(?:\.[a-z_][a-z0-9_]*)*$/,
  /^torch\.optim\.(?:sgd|adam|adamw|adamax|adagrad|adadelta|rmsprop|rprop|radam|nadam|asgd|lbfgs|lr_scheduler)$/,
  /^torch\.ao\.nn\.(?:intrinsic|qat|quantizable|quantized|sparse)(?:\.[a-z_][a-z0-9_]*)*$/,
  /^scipy\.sparse\.(?:_?(?:csr|csc|coo|bsr|dia|dok|lil|base|data|compressed|matrix))$/,
  /^scipy\.spatial\.(?:_ckdtree|ckdtree|_kdtree)$/,
  /^xgboost\.(?:core|sklearn)$/,
  /^lightgbm\.(?:basic|sklearn)$/,
  /^pandas\.core\.(?:frame|series|internals\.(?:managers|blocks)|indexes\.(?:base|range|numeric|multi|category|datetimes)|dtypes\.dtypes|arrays\.[a-z_.]+|index|indexing|categorical)$/,
  /^pandas\._libs\.tslibs\.(?:timestamps|offsets|timedeltas)$/,
];

/** Functions and lower-case classes that the packages' own `__reduce__` names. */
const EXACT: ReadonlyMap<string, readonly string[]> = new Map([
  ['sklearn.neighbors._kd_tree', ['newObj']],
  ['sklearn.neighbors._ball_tree', ['newObj']],
  ['sklearn.metrics._dist_metrics', ['newObj']],
  ['scipy.interpolate._bsplines', ['BSpline']],
  ['scipy.interpolate._interpolate', ['PPoly', 'BPoly']],
  ['scipy.interpolate._cubic', ['CubicSpline', 'PchipInterpolator', 'Akima1DInterpolator', 'CubicHermiteSpline']],
  ['sklearn.cluster._kmeans', ['_kmeans_single_lloyd', '_kmeans_single_elkan']],
  [
    'sklearn.feature_selection._univariate_selection',
    ['f_classif', 'f_oneway', 'f_regression', 'r_regression', 'chi2'],
  ],
  ['sklearn.feature_selection._mutual_info', ['mutual_info_classif', 'mutual_info_regression']],
  ['sklearn.metrics._scorer', ['_passthrough_scorer']],
  [
    'sklearn.metrics.pairwise',
    [
      'rbf_kernel',
      'linear_kernel',
      'polynomial_kernel',
      'sigmoid_kernel',
      'laplacian_kernel',
      'chi2_kernel',
      'cosine_similarity',
      'cosine_distances',
      'euclidean_distances',
      'manhattan_distances',
    ],
  ],
  ['scipy.spatial._ckdtree', ['cKDTree']],
  ['pandas._libs.internals', ['_unpickle_block', 'BlockPlacement']],
  ['pandas.core.indexes.base', ['_new_Index']],
  ['pandas.core.indexes.datetimes', ['_new_DatetimeIndex']],
  ['pandas._libs.arrays', ['__pyx_unpickle_NDArrayBacked']],
  ['numpy.random', ['__RandomState_ctor', '__randomstate_ctor', '__generator_ctor', '__bit_generator_ctor']],
  ['numpy.random._pickle', ['__randomstate_ctor', '__generator_ctor', '__bit_generator_ctor']],
  ['numpy.random._mt19937', ['MT19937']],
  ['numpy.random._pcg64', ['PCG64', 'PCG64DXSM']],
  ['numpy.random.bit_generator', ['SeedSequence', '__pyx_unpickle_SeedSequence']],
  ['numpy.ma.core', ['MaskedArray', '_mareconstruct']],
  ['joblib.numpy_pickle', ['NumpyArrayWrapper']],
  ['torch._tensor', ['_rebuild_from_type_v2', 'Tensor']],
  [
    'torch.jit._pickle',
    ['build_intlist', 'build_doublelist', 'build_boollist', 'build_tensorlist', 'restore_type_tag'],
  ],
]);

/** Functions that hold predictions against truth, which scorers keep. */
const SCORES =
  /^sklearn\.metrics\.(?:_classification|_regression|_ranking|cluster\._supervised|cluster\._unsupervised)$/;
/** Matrices of scipy have lower-case names: `scipy.sparse._csr.csr_matrix`. */
const SPARSE = /^scipy\.sparse\._?(bsr|coo|csc|csr|dia|dok|lil)\.\1_(?:matrix|array)$/;
/** What Cython writes into a class's `__reduce__`: makes an object of that class and sets its attributes. */
const CYTHON = /^__pyx_unpickle_\w+$/;

/** True for a class of a framework that a pickle of a whole model names, and that runs nothing when it is rebuilt. */
export function isFrameworkClass(module: string, name: string): boolean {
  if (EXACT.get(module)?.includes(name) === true) return true;
  // Types of TorchScript: no Python package has this name, and torch's own interpreter runs their code.
  if (/^__torch__(?:\.\w+)*$/.test(module)) return /^\w+$/.test(name);
  if (SPARSE.test(`${module}.${name}`) || (SCORES.test(module) && /^[a-z]\w*$/.test(name))) return true;
  return (
    (/^_?[A-Z][A-Za-z0-9_]*$/.test(name) || CYTHON.test(name)) && CLASS_PACKAGES.some((known) => known.test(module))
  );
}
