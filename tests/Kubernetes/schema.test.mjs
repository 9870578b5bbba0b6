import assert from 'node:assert/strict';
import { test } from 'node:test';
import { render } from './render.mjs';
import { problems } from './schema.mjs';

const manifests = render('k8s/overlays/production');

/** A copy of a manifest after a change. */
function changed(kind, change) {
  const copy = structuredClone(manifests.find((manifest) => manifest.kind === kind));
  change(copy);
  return copy;
}

const mistakes = {
  'a misspelled field': ['StatefulSet', (set) => { set.spec.template.spec.terminationGracePeriodSecond = 5; }, /unknown field .*terminationGracePeriodSecond$/],
  'a field in the wrong place': ['StatefulSet', (set) => { set.spec.template.spec.containers[0].hostNetwork = true; }, /unknown field .*containers\/0\/hostNetwork$/],
  'a number that is a text': ['Deployment', (deployment) => { deployment.spec.template.spec.terminationGracePeriodSeconds = '30'; }, /terminationGracePeriodSeconds/],
  'a list that is a map': ['StatefulSet', (set) => { set.spec.template.spec.containers[0].env = { A: 'b' }; }, /env/],
  'an environment variable that is no text': ['StatefulSet', (set) => { set.spec.template.spec.containers[0].env[0].value = 8080; }, /env/],
  'a missing selector': ['Deployment', (deployment) => { delete deployment.spec.selector; }, /selector/],
  'a container without a name': ['Job', (job) => { delete job.spec.template.spec.containers[0].name; }, /name/],
  'a misspelled field of a ServiceMonitor': ['ServiceMonitor', (monitor) => { monitor.spec.endpoints[0].intervall = '15s'; }, /intervall$/],
  'a kind that there is not': ['Job', (job) => { job.kind = 'Jobs'; }, /no schema/],
  'a version that there is not': ['HorizontalPodAutoscaler', (scaler) => { scaler.apiVersion = 'autoscaling/v3'; }, /no schema/],
};

for (const [name, [kind, change, expected]] of Object.entries(mistakes)) {
  test(`finds ${name}`, () => assert.match(problems(changed(kind, change)).join('\n'), expected));
}
