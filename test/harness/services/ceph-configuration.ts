import { randomBytes } from 'node:crypto';
import { FOLDER_INSIDE } from './package-root.ts';

export interface CephPorts {
  readonly monitor: number;
  readonly gateway: number;
}

/** Where the daemons, whose root is a folder of packages, see the folder that keeps their state. */
export const stateInside = FOLDER_INSIDE;

/** ceph.conf for one monitor, one OSD that keeps everything in memory, and one S3 gateway, all on 127.0.0.1. */
export function formatCephConfiguration(clusterId: string, ports: CephPorts): string {
  const global = {
    fsid: clusterId,
    keyring: `${stateInside}/keyring`,
    mon_host: `v2:127.0.0.1:${ports.monitor}/0`,
    mon_initial_members: 'a',
    public_network: '127.0.0.0/8',
    ms_bind_ipv4: 'true',
    // With "none" the gateway hangs at start.
    auth_cluster_required: 'cephx',
    auth_service_required: 'cephx',
    auth_client_required: 'cephx',
    // One copy of everything on one disk.
    mon_allow_pool_size_one: 'true',
    mon_max_pg_per_osd: '2000',
    osd_crush_chooseleaf_type: '0',
    osd_pool_default_size: '1',
    osd_pool_default_min_size: '1',
    osd_pool_default_pg_num: '8',
    osd_pool_default_pg_autoscale_mode: 'off',
    run_dir: stateInside,
    admin_socket: `${stateInside}/$name.asok`,
    log_file: `${stateInside}/$name.log`,
    mon_data: `${stateInside}/mon`,
  };
  const osd = { osd_objectstore: 'memstore', osd_data: `${stateInside}/osd`, memstore_device_bytes: '4294967296' };
  const gateway = {
    rgw_data: stateInside,
    rgw_frontends: `beast endpoint=127.0.0.1:${ports.gateway}`,
    rgw_enable_ops_log: 'false',
    // Tokens of GitHub's kind against roles: sixteen characters encrypt the session tokens.
    rgw_sts_key: randomBytes(8).toString('hex'),
    rgw_s3_auth_use_sts: 'true',
    rgw_verify_ssl: 'false',
    // SSE-KMS with one key of its own, over plain HTTP.
    rgw_crypt_require_ssl: 'false',
    rgw_crypt_s3_kms_backend: 'testing',
    rgw_crypt_s3_kms_encryption_keys: `k1=${randomBytes(32).toString('base64')}`,
  };
  const section = (name: string, values: Readonly<Record<string, string>>) =>
    [`[${name}]`, ...Object.entries(values).map(([key, value]) => `${key} = ${value}`), ''].join('\n');
  return [section('global', global), section('osd', osd), section('client.rgw', gateway)].join('\n');
}

/** Who there is in a new cluster, and what each may do. */
const capabilities = {
  'mon.': { mon: 'allow *' },
  'client.admin': { mon: 'allow *', osd: 'allow *' },
  'client.rgw': { mon: 'allow rw', osd: 'allow rwx' },
  'osd.0': { mon: 'allow profile osd', osd: 'allow *' },
} as const;

/** The keyring of a new cluster. `newKey` gives a fresh cephx key, whose kind differs between Ceph's releases. */
export async function formatKeyring(newKey: () => Promise<string>): Promise<string> {
  const sections: string[] = [];
  for (const [name, allowed] of Object.entries(capabilities)) {
    const caps = Object.entries(allowed).map(([service, what]) => `\tcaps ${service} = "${what}"`);
    sections.push([`[${name}]`, `\tkey = ${await newKey()}`, ...caps, ''].join('\n'));
  }
  return sections.join('');
}
