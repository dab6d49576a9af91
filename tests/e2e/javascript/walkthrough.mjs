// The life of a key through the AWS SDK for JavaScript, version 3. Ends with 0 where all of it holds.

import assert from "node:assert/strict";
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisabledException,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateRandomCommand,
  GetKeyRotationStatusCommand,
  InvalidCiphertextException,
  KMSClient,
  NotFoundException,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  paginateListKeys,
} from "@aws-sdk/client-kms";

const endpoint = process.env.AWS_ENDPOINT_URL;
const kms = new KMSClient({ endpoint, maxAttempts: 1 });
const send = (Command, input) => kms.send(new Command(input));
const context = { purpose: "demo", environment: "test" };
const plaintext = new TextEncoder().encode("hello from JavaScript");

const { KeyMetadata: made } = await send(CreateKeyCommand, { Description: "from JavaScript" });
assert.equal(made.KeyState, "Enabled");
assert.ok(made.CreationDate instanceof Date && Math.abs(Date.now() - made.CreationDate) < 60_000);
const alias = `alias/javascript-${made.KeyId}`;
await send(CreateAliasCommand, { AliasName: alias, TargetKeyId: made.KeyId });
assert.deepEqual((await send(DescribeKeyCommand, { KeyId: alias })).KeyMetadata, made);

const sealed = await send(EncryptCommand, { KeyId: alias, Plaintext: plaintext, EncryptionContext: context });
assert.equal(sealed.KeyId, made.Arn);
const opened = await send(DecryptCommand, { CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: context });
assert.deepEqual(opened.Plaintext, plaintext);
const dataKey = await send(GenerateDataKeyCommand, { KeyId: alias, KeySpec: "AES_256" });
assert.equal(dataKey.Plaintext.length, 32);
const moved = await send(ReEncryptCommand, {
  CiphertextBlob: sealed.CiphertextBlob,
  SourceEncryptionContext: context,
  DestinationKeyId: made.KeyId,
});
assert.deepEqual((await send(DecryptCommand, { CiphertextBlob: moved.CiphertextBlob })).Plaintext, plaintext);
assert.equal((await send(GenerateRandomCommand, { NumberOfBytes: 64 })).Plaintext.length, 64);

await send(EnableKeyRotationCommand, { KeyId: made.KeyId });
assert.equal((await send(GetKeyRotationStatusCommand, { KeyId: made.KeyId })).KeyRotationEnabled, true);

const found = [];
for await (const page of paginateListKeys({ client: kms, pageSize: 2 }, {})) {
  found.push(...page.Keys.map((key) => key.KeyId));
}
assert.ok(found.includes(made.KeyId));

// Errors arrive as the classes of the model, or by name where the model has none.
await assert.rejects(send(DescribeKeyCommand, { KeyId: "alias/nothing-here" }), (error) => {
  assert.ok(error instanceof NotFoundException);
  assert.equal(error.$metadata.httpStatusCode, 400);
  assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/);
  return /is not found\.$/.test(error.message);
});
await assert.rejects(send(DecryptCommand, { CiphertextBlob: sealed.CiphertextBlob }), InvalidCiphertextException);
await assert.rejects(send(GenerateRandomCommand, {}), { name: "ValidationException", message: "NumberOfBytes is required." });
await send(DisableKeyCommand, { KeyId: made.KeyId });
await assert.rejects(send(EncryptCommand, { KeyId: made.KeyId, Plaintext: plaintext }), DisabledException);
await send(EnableKeyCommand, { KeyId: made.KeyId });
const stranger = new KMSClient({
  endpoint,
  maxAttempts: 1,
  credentials: { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: "x".repeat(40) },
});
await assert.rejects(stranger.send(new CreateKeyCommand({})), { name: "InvalidSignatureException" });

await send(ScheduleKeyDeletionCommand, { KeyId: made.KeyId, PendingWindowInDays: 7 });
assert.equal((await send(CancelKeyDeletionCommand, { KeyId: made.KeyId })).KeyId, made.Arn);
console.log("all of it holds");
