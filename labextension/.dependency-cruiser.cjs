/** The floors of the panel: index -> plugins -> widgets -> (models, components); models -> services -> wire, tokens. */
const floor = (name, from, to, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: to }
});

module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true }
    },
    {
      name: 'no-orphans',
      comment: 'A file that nobody takes is dead.',
      severity: 'error',
      from: { orphan: true, pathNot: '^src/index\\.ts$' },
      to: {}
    },
    {
      name: 'only-what-is-declared',
      comment: 'Every package that is imported is named in package.json.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined', 'npm-dev'] }
    },
    floor('index-lists-plugins', '^src/index\\.ts$', '^src/plugins/'),
    floor(
      'plugins-are-strangers',
      '^src/plugins/',
      '^src/(widgets|models|components|services)/|^src/(tokens|wire)\\.ts$',
      'Plugins meet through tokens, never by import.'
    ),
    floor('widgets-join', '^src/widgets/', '^src/(models|components)/|^src/(tokens|wire)\\.ts$'),
    floor(
      'models-ask-services',
      '^src/models/',
      '^src/(models|services)/|^src/(tokens|wire)\\.ts$'
    ),
    floor(
      'components-are-given-all',
      '^src/components/',
      '^src/components/|^src/(tokens|wire)\\.ts$'
    ),
    floor('services-know-the-wire', '^src/services/', '^src/services/|^src/(tokens|wire)\\.ts$'),
    floor('tokens-know-the-wire', '^src/tokens\\.ts$', '^src/wire\\.ts$'),
    floor('wire-knows-nobody', '^src/wire\\.ts$', '^$'),
    {
      name: 'models-and-services-never-draw',
      severity: 'error',
      from: { path: '^src/(models|services|tokens|wire)' },
      to: { path: 'node_modules/(react|react-dom|@lumino/widgets|@jupyterlab/ui-components)/' }
    },
    {
      name: 'components-never-fetch',
      severity: 'error',
      from: { path: '^src/components/' },
      to: { path: 'node_modules/@jupyterlab/(services|notebook|application)/' }
    }
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default']
    }
  }
};
