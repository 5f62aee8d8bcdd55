// The keymanager API through Lodestar's own client: `import` or `delete`, one JSON document on stdout, any deviation is an exception.
// Called by keymanager.py from the folder in which the packages are installed.
import assert from "node:assert/strict";
import {SecretKey, init} from "@chainsafe/bls/herumi";
import {create} from "@chainsafe/bls-keystore";
import {DeletionStatus, ImportStatus, getClient} from "@lodestar/api/keymanager";
import {config} from "@lodestar/config/default";

// Not among the package's exports.
const PARSER = "./node_modules/@lodestar/validator/lib/slashingProtection/interchange/parseInterchange.js";
const {parseInterchange} = await import(new URL(PARSER, import.meta.url));

const [verb, baseUrl, bearerToken, genesisRoot, count, pubkeys] = process.argv.slice(2);
const PASSWORD = "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑"; // the password of EIP-2335's vectors: NFKD and UTF-8 matter
const client = (token) => getClient({baseUrl, bearerToken: token, timeoutMs: 600_000}, {config});
const api = client(bearerToken);
const said = async (call) => {
  const reply = await call;
  assert(reply.ok, `${reply.error?.code} ${reply.error?.message}`);
  return reply.response;
};
const statuses = (response) => response.data.map(({status}) => status);

async function importKeys() {
  assert.deepEqual((await said(api.listKeys())).data, []);
  await init();
  const keystores = [];
  const keys = [];
  for (let i = 1; i <= Number(count); i++) {
    const secret = SecretKey.fromBytes(Buffer.from(i.toString(16).padStart(64, "0"), "hex"));
    const pubkey = secret.toPublicKey().toBytes();
    keys.push("0x" + Buffer.from(pubkey).toString("hex"));
    keystores.push(JSON.stringify(await create(PASSWORD, secret.toBytes(), pubkey, `m/12381/3600/${i}/0/0`)));
  }
  const history = JSON.stringify({
    metadata: {interchange_format_version: "5", genesis_validators_root: genesisRoot},
    data: [{pubkey: keys[0], signed_blocks: [], signed_attestations: [{source_epoch: "50", target_epoch: "60"}]}],
  });
  const passwords = keystores.map(() => PASSWORD);
  const wrong = passwords.map(() => "wrong");
  assert.deepEqual(statuses(await said(api.importKeystores(keystores.slice(0, 1), wrong.slice(0, 1)))), [ImportStatus.error]);
  const foreign = history.replace(genesisRoot, "0x" + "77".repeat(32));
  assert.equal((await api.importKeystores(keystores, passwords, foreign)).error.code, 400);
  assert.equal((await client("wrong-token-wrong-token").importKeystores(keystores, passwords)).error.code, 401);
  assert.equal((await api.importKeystores(keystores, [])).error.code, 400);
  assert.deepEqual((await said(api.listKeys())).data, []);

  assert.deepEqual(statuses(await said(api.importKeystores(keystores, passwords, history))), keys.map(() => ImportStatus.imported));
  assert.deepEqual(statuses(await said(api.importKeystores(keystores.slice(0, 1), passwords.slice(0, 1)))), [ImportStatus.duplicate]);
  const listed = (await said(api.listKeys())).data;
  assert.deepEqual(listed.map(({validatingPubkey}) => validatingPubkey), [...keys].sort());
  assert(listed.every(({readonly}) => readonly === false));
  return {keys};
}

async function deleteKeys() {
  const wanted = pubkeys.split(",");
  const unknown = "0x" + "ab".repeat(48);
  const first = await said(api.deleteKeys([...wanted, unknown]));
  assert.deepEqual(statuses(first), [...wanted.map(() => DeletionStatus.deleted), DeletionStatus.not_found]);
  const again = await said(api.deleteKeys(wanted));
  assert.deepEqual(statuses(again), wanted.map(() => DeletionStatus.not_active));
  assert.equal(again.slashingProtection, first.slashingProtection);
  assert.deepEqual((await said(api.listKeys())).data.filter(({validatingPubkey}) => wanted.includes(validatingPubkey)), []);
  const read = parseInterchange(JSON.parse(first.slashingProtection), Buffer.from(genesisRoot.slice(2), "hex"));
  return {
    history: read.data.map(({pubkey, signedBlocks, signedAttestations}) => ({
      pubkey: "0x" + Buffer.from(pubkey).toString("hex"),
      blocks: signedBlocks.map(({slot}) => slot),
      votes: signedAttestations.map(({sourceEpoch, targetEpoch}) => [sourceEpoch, targetEpoch]),
    })),
  };
}

process.stdout.write(JSON.stringify(await (verb === "import" ? importKeys() : deleteKeys())) + "\n");
