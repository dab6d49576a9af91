//! Imported material that waits for a rotation until every key has it.

use keyreeve_testkit::World;
use keyreeve_wire::Operation::*;
use serde_json::{Value, json};

use super::{AWAY, HOME, at, describe, refused};

/// A primary key with imported material, and a replica key in [`AWAY`] that has it too.
pub(crate) fn imported(world: &mut World) -> String {
    let made = world.done(CreateKey, json!({"Origin": "EXTERNAL", "MultiRegion": true}));
    let id = made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
    import(world, &id, [1; 32], json!({}));
    world.done(ReplicateKey, json!({"KeyId": id, "ReplicaRegion": AWAY}));
    at(world, AWAY, |world| import(world, &id, [1; 32], json!({})));
    id
}

/// Imports `material`, and yields its id.
pub(crate) fn import(world: &World, id: &str, material: [u8; 32], more: Value) -> Value {
    let (token, wrapped) = world.wrapped_import(id, &material);
    let mut request = json!({
        "KeyId": id, "ImportToken": token, "EncryptedKeyMaterial": wrapped,
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
    });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.done(ImportKeyMaterial, request)["KeyMaterialId"].clone()
}

fn waiting(world: &mut World, region: &str, id: &str) -> Option<(Value, Value)> {
    let request = json!({"KeyId": id, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"});
    let listed = at(world, region, |world| world.done(ListKeyRotations, request));
    let last = listed["Rotations"].as_array().unwrap().last().unwrap().clone();
    let is_waiting = last["KeyMaterialState"].as_str().unwrap().starts_with("PENDING");
    is_waiting.then(|| (last["KeyMaterialState"].clone(), last["ImportState"].clone()))
}

#[test]
fn a_replica_key_that_lost_waiting_material_takes_it_again() {
    let everywhere = (json!("PENDING_ROTATION"), json!("IMPORTED"));
    let missing = (json!("PENDING_MULTI_REGION_IMPORT_AND_ROTATION"), json!("PENDING_IMPORT"));
    for is_expired in [false, true] {
        let mut world = World::default();
        let id = imported(&mut world);
        let next = import(&world, &id, [3; 32], json!({"ImportType": "NEW_KEY_MATERIAL"}));
        let soon = world.now().plus_days(1).millis() / 1000;
        let validity = match is_expired {
            true => json!({"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": soon}),
            false => json!({}),
        };
        at(&mut world, AWAY, |world| import(world, &id, [3; 32], validity));
        assert_eq!(waiting(&mut world, AWAY, &id), Some(everywhere.clone()), "{is_expired}");
        if is_expired {
            world.pass_days(2);
            assert_eq!(world.run_due(), Ok(1));
        } else {
            let request = json!({"KeyId": id, "KeyMaterialId": next});
            at(&mut world, AWAY, |world| world.done(DeleteImportedKeyMaterial, request));
        }
        assert_eq!(waiting(&mut world, AWAY, &id), Some(missing.clone()), "{is_expired}");
        assert_eq!(refused(&world, RotateKeyOnDemand, json!({"KeyId": id})).0, "KMSInvalidStateException");
        at(&mut world, AWAY, |world| import(world, &id, [3; 32], json!({})));
        assert_eq!(waiting(&mut world, AWAY, &id), Some(everywhere.clone()), "{is_expired}");
        world.done(RotateKeyOnDemand, json!({"KeyId": id}));
        assert_eq!(describe(&mut world, AWAY, &id)["CurrentKeyMaterialId"], next, "{is_expired}");
        world.assert_coherent("taken again");
    }
}

#[test]
fn waiting_material_that_its_primary_key_loses_is_gone_everywhere_and_other_material_only_there() {
    let mut world = World::default();
    let id = imported(&mut world);
    let next = import(&world, &id, [3; 32], json!({"ImportType": "NEW_KEY_MATERIAL"}));
    at(&mut world, AWAY, |world| import(world, &id, [3; 32], json!({})));
    world.done(DeleteImportedKeyMaterial, json!({"KeyId": id, "KeyMaterialId": next}));
    assert_eq!(waiting(&mut world, HOME, &id), None);
    assert_eq!(waiting(&mut world, AWAY, &id), None);
    world.done(DeleteImportedKeyMaterial, json!({"KeyId": id}));
    assert_eq!(describe(&mut world, HOME, &id)["KeyState"], "PendingImport");
    assert_eq!(describe(&mut world, AWAY, &id)["KeyState"], "Enabled");
}
