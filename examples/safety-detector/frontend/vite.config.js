export default {
  build: { outDir: 'build', sourcemap: true },
};
