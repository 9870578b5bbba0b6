import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

const packages = { 'monitoring.coreos.com': '@kubernetes-models/prometheus-operator' };

/** Everything that is wrong with a manifest by the schema of its kind, one line each; unknown fields too, as `kubectl --validate=strict` refuses them. */
export function problems(manifest) {
  const { apiVersion, kind } = manifest;
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
  let model;
  try {
    model = require(`${packages[group] ?? 'kubernetes-models'}/${apiVersion}/${kind}`)[kind];
  } catch (missing) {
    return [`no schema for ${apiVersion} ${kind}: ${missing.message}`];
  }
  const asked = new Set();
  try {
    model.prototype.validate.call(watched(manifest, '', asked));
  } catch (invalid) {
    return [invalid.message];
  }
  return unasked(manifest, '', asked);
}

/** The object, noting each field that is read. The schemas are compiled to code that reads the fields it knows and no other. */
function watched(value, path, asked) {
  return new Proxy(value, {
    get(target, name) {
      const field = target[name];
      if (typeof name === 'symbol' || !Object.hasOwn(target, name)) return field;
      asked.add(`${path}/${name}`);
      return field !== null && typeof field === 'object' ? watched(field, `${path}/${name}`, asked) : field;
    },
  });
}

function unasked(value, path, asked) {
  if (value === null || typeof value !== 'object') return [];
  return Object.keys(value).flatMap((name) => {
    const field = `${path}/${name}`;
    return asked.has(field) ? unasked(value[name], field, asked) : [`unknown field ${field}`];
  });
}
