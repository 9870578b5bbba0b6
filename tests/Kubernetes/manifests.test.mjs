import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { render } from './render.mjs';
import { problems } from './schema.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const rendered = Object.fromEntries(
  ['k8s/overlays/single', 'k8s/overlays/production', 'tests/Kubernetes/variants/host-network'].map((folder) => [folder, render(folder)]));
const single = rendered['k8s/overlays/single'];
const production = rendered['k8s/overlays/production'];

const podOf = (manifest) => manifest.spec?.template?.spec;
const seconds = (text) => text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
const find = (manifests, kind, name) => manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name.startsWith(name));
const matches = (selector, labels) => Object.entries(selector).every(([key, value]) => labels?.[key] === value);

/** Environment of a container as Kubernetes makes it from ConfigMaps and literal values. */
function environment(manifests, container) {
  const maps = (container.envFrom ?? []).map((from) => find(manifests, 'ConfigMap', from.configMapRef.name)?.data ?? assert.fail(`no ConfigMap ${from.configMapRef.name}`));
  return Object.assign({}, ...maps, Object.fromEntries((container.env ?? []).map((variable) => [variable.name, variable.value ?? variable.valueFrom])));
}

for (const [folder, manifests] of Object.entries(rendered)) {
  test(`${folder}: every manifest is valid, without unknown fields`, () => {
    assert.ok(manifests.length > 5);
    assert.deepEqual(manifests.flatMap((manifest) => problems(manifest).map((problem) => `${manifest.kind} ${manifest.metadata.name}: ${problem}`)), []);
  });

  test(`${folder}: names are unique`, () => {
    const names = manifests.map((manifest) => `${manifest.kind} ${manifest.metadata.name}`);
    assert.deepEqual(names.filter((name, index) => names.indexOf(name) !== index), []);
  });

  for (const manifest of manifests.filter(podOf)) {
    const name = `${folder}: ${manifest.kind} ${manifest.metadata.name}`;
    const pod = podOf(manifest);

    test(`${name} has as few rights as it needs`, () => {
      assert.deepEqual(pod.securityContext.runAsNonRoot, true);
      assert.equal(pod.securityContext.runAsUser, 10001);
      assert.equal(pod.securityContext.seccompProfile.type, 'RuntimeDefault');
      assert.equal(pod.automountServiceAccountToken, false);
      assert.equal(pod.enableServiceLinks, false);
      for (const container of pod.containers) {
        assert.deepEqual(container.securityContext, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
        assert.ok(container.resources.requests.cpu && container.resources.requests.memory && container.resources.limits.memory);
        assert.match(container.image, folder.startsWith('k8s/overlays') ? /^registry\.example\.com\/voicegrains-\w+:\d+\.\d+\.\d+$/ : /^voicegrains-/);
      }
    });

    test(`${name} mounts only volumes that it has, and can write to /tmp`, () => {
      const volumes = [...(pod.volumes ?? []), ...(manifest.spec.volumeClaimTemplates ?? []).map((claim) => claim.metadata)].map((volume) => volume.name);
      const mounts = pod.containers.flatMap((container) => container.volumeMounts);
      assert.deepEqual(mounts.filter((mount) => !volumes.includes(mount.name)), []);
      assert.ok(mounts.some((mount) => mount.mountPath === '/tmp'));
    });

    test(`${name} is named by its selectors`, () => {
      const labels = manifest.spec.template.metadata.labels;
      if (manifest.kind !== 'Job') assert.ok(matches(manifest.spec.selector.matchLabels, labels));
      const policies = manifests.filter((other) => other.kind === 'NetworkPolicy' && matches(other.spec.podSelector.matchLabels, labels));
      assert.equal(policies.length, 1);
      if (manifest.kind === 'Job') return;
      assert.equal(manifests.filter((other) => other.kind === 'PodDisruptionBudget' && matches(other.spec.selector.matchLabels, labels)).length, 1);
    });
  }

  for (const manifest of manifests.filter((manifest) => manifest.kind === 'StatefulSet' || manifest.kind === 'Deployment')) {
    const [container] = podOf(manifest).containers;

    test(`${folder}: ${manifest.kind} ${manifest.metadata.name} is probed where the server answers`, () => {
      const health = readFileSync(`${root}hosting/Health/HealthExtensions.cs`, 'utf8');
      for (const [probe, path] of [['startupProbe', '/health/live'], ['livenessProbe', '/health/live'], ['readinessProbe', '/health/ready']]) {
        assert.deepEqual(container[probe].httpGet, { path, port: 'http' });
        assert.ok(health.includes(`"${path}"`));
      }
      assert.equal(`${container.ports.find((port) => port.name === 'http').containerPort}`, environment(manifests, container).VOICEGRAINS_PORT);
    });

    test(`${folder}: ${manifest.kind} ${manifest.metadata.name} has time to drain`, () => {
      const drain = seconds(environment(manifests, container).Drain__Timeout ?? '0');
      const preStop = Number(container.lifecycle.preStop.exec.command[1]);
      assert.ok(podOf(manifest).terminationGracePeriodSeconds >= preStop + drain + 10, 'killed before its calls have ended');
    });
  }
}

test('single holds what one silo needs, and keeps its data', () => {
  assert.deepEqual(single.filter((manifest) => ['Deployment', 'Job', 'HorizontalPodAutoscaler'].includes(manifest.kind)), []);
  const silo = find(single, 'StatefulSet', 'voicegrains-silo');
  assert.equal(silo.spec.replicas, 1);
  assert.equal(silo.spec.volumeClaimTemplates[0].metadata.name, 'data');
  assert.equal(environment(single, podOf(silo).containers[0]).ConnectionStrings__VoiceGrains, undefined);     // its own PostgreSQL
});

test('production: silos, gateways and migrations share the database and broker of one secret', () => {
  for (const [kind, name] of [['StatefulSet', 'voicegrains-silo'], ['Deployment', 'voicegrains-gateway']]) {
    const variables = environment(production, podOf(find(production, kind, name)).containers[0]);
    assert.deepEqual(variables.ConnectionStrings__VoiceGrains, { secretKeyRef: { name: 'voicegrains', key: 'database' } });
    assert.deepEqual(variables.Cluster__RabbitMq, { secretKeyRef: { name: 'voicegrains', key: 'rabbitmq' } });
    assert.equal(variables.Blobs__Path, '/recordings');
  }
  const silo = environment(production, podOf(find(production, 'StatefulSet', 'voicegrains-silo')).containers[0]);
  assert.deepEqual(silo.POD_IP, { fieldRef: { fieldPath: 'status.podIP' } });
  assert.equal(silo.Cluster__Address, `http://$(POD_IP):${silo.VOICEGRAINS_PORT}`);
  assert.deepEqual(silo.Cluster__Name, { fieldRef: { fieldPath: 'metadata.name' } });
  const [migrate] = podOf(find(production, 'Job', 'voicegrains-migrations')).containers;
  assert.deepEqual(migrate.args, ['--migrate-only']);
  assert.deepEqual(environment(production, migrate).ConnectionStrings__VoiceGrains, { secretKeyRef: { name: 'voicegrains', key: 'database' } });
});

test('production: every process finds the one secret key where it looks for its own, and cannot change it', () => {
  for (const [kind, name] of [['StatefulSet', 'voicegrains-silo'], ['Deployment', 'voicegrains-gateway']]) {
    const pod = podOf(find(production, kind, name));
    const [container] = pod.containers;
    const mount = container.volumeMounts.find((mount) => mount.name === 'secret-key');
    assert.deepEqual(mount, { name: 'secret-key', mountPath: `${environment(production, container).VOICEGRAINS_DATA}/secret-key`, subPath: 'secret-key', readOnly: true });
    assert.deepEqual(pod.volumes.find((volume) => volume.name === 'secret-key').secret,
      { secretName: 'voicegrains', defaultMode: 0o440, items: [{ key: 'secret-key', path: 'secret-key' }] });
  }
});

test('production: gRPC has a port at the gateways, through to the Service', () => {
  const gateway = find(production, 'Deployment', 'voicegrains-gateway');
  const [container] = podOf(gateway).containers;
  assert.equal(`${container.ports.find((port) => port.name === 'grpc').containerPort}`, environment(production, container).Grpc__Port);
  const service = find(production, 'Service', 'voicegrains-gateway');
  assert.deepEqual(service.spec.ports.find((port) => port.name === 'grpc'), { name: 'grpc', port: 8081, targetPort: 'grpc', appProtocol: 'kubernetes.io/h2c' });
  const policy = find(production, 'NetworkPolicy', 'voicegrains-gateway');
  assert.deepEqual(policy.spec.ingress.flatMap((rule) => rule.ports.map((port) => port.port)), ['http', 'grpc']);
});

test('production: gateways and silos reach silos, the database and the broker', () => {
  for (const name of ['voicegrains-silo', 'voicegrains-gateway']) {
    const { egress } = find(production, 'NetworkPolicy', name).spec;
    const toSilos = egress.find((rule) => rule.to?.some((peer) => peer.podSelector?.matchLabels['app.kubernetes.io/component'] === 'silo'));
    assert.deepEqual(toSilos.ports, [{ port: 'http', protocol: 'TCP' }]);
    const anywhere = egress.filter((rule) => rule.to === undefined).flatMap((rule) => rule.ports.map((port) => port.port));
    assert.deepEqual(anywhere, [5432, 5671, 5672]);
  }
});

test('production: the autoscaler has a target without replicas of its own', () => {
  const scaler = find(production, 'HorizontalPodAutoscaler', 'voicegrains-gateway');
  const target = find(production, scaler.spec.scaleTargetRef.kind, scaler.spec.scaleTargetRef.name);
  assert.equal(target.spec.replicas, undefined);
});

test('production: each silo has a media port, and says which', () => {
  const silo = find(production, 'StatefulSet', 'voicegrains-silo');
  const url = environment(production, podOf(silo).containers[0]).Media__PublicUrl;
  for (let ordinal = 0; ordinal < silo.spec.replicas; ordinal++) {
    const service = production.find((manifest) => manifest.spec?.selector?.['statefulset.kubernetes.io/pod-name'] === `voicegrains-silo-${ordinal}`);
    assert.equal(url.replace('$(POD_INDEX)', ordinal), `ws://media.example.com:${service.spec.ports[0].nodePort}`);
  }
});

test('production: Prometheus finds the Services of silos and gateways', () => {
  const [monitor] = production.filter((manifest) => manifest.kind === 'ServiceMonitor');
  const chosen = production.filter((manifest) => manifest.kind === 'Service' && matches(monitor.spec.selector.matchLabels, manifest.metadata.labels)
    && monitor.spec.selector.matchExpressions[0].values.includes(manifest.metadata.labels['app.kubernetes.io/component']));
  assert.deepEqual(chosen.map((service) => service.metadata.name).sort(), ['voicegrains-gateway', 'voicegrains-silo']);
  for (const service of chosen) assert.ok(service.spec.ports.some((port) => port.name === monitor.spec.endpoints[0].port));
});

test('no manifest carries a secret', () => {
  assert.deepEqual(Object.values(rendered).flat().filter((manifest) => manifest.kind === 'Secret'), []);
});

test('Containerfiles run as the user that the manifests name, and copy nothing from outside the repository', () => {
  for (const file of ['silo/Containerfile', 'gateway-host/Containerfile']) {
    const text = readFileSync(root + file, 'utf8');
    assert.match(text.trimEnd().split('\n').filter((line) => line.startsWith('USER')).at(-1), /^USER 10001:10001$/);
    for (const [, project] of text.matchAll(/publish (\S+\.csproj)/g)) assert.ok(existsSync(root + project));
    for (const [, image] of text.matchAll(/^FROM (\S+)/gm)) assert.match(image, /^(mcr\.microsoft\.com\/dotnet\/(sdk|aspnet):10\.0|node:20-bookworm-slim|debian:12-slim|silo)$/);
  }
});

test('every kustomization is used', () => {
  const used = readdirSync(`${root}k8s/components`).filter((name) =>
    ['k8s/overlays/production', 'tests/Kubernetes/variants/host-network'].some((folder) => readFileSync(`${root}${folder}/kustomization.yaml`, 'utf8').includes(`components/${name}`)));
  assert.deepEqual(used, readdirSync(`${root}k8s/components`));
});
