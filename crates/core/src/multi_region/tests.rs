//! That messages may come in any order, and twice.

use keyreeve_domain::spec::{KeyManager, KeySpec, KeyUsage, RotationType};
use proptest::prelude::*;

use super::*;

const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-southeast-2"];

fn region(name: &str) -> Region {
    name.parse().unwrap()
}

fn replica() -> KeyRecord {
    KeyRecord {
        account: "111122223333".parse().unwrap(),
        description: "its own".into(),
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
        origin: Origin::AwsKms,
        manager: KeyManager::Customer,
        created: Timestamp::from_millis(1),
        lifecycle: Lifecycle::Disabled,
        tags: Vec::new(),
        materials: Vec::new(),
        rotation: None,
        on_demand_rotations: 0,
        has_policy: true,
        pending: None,
        multi_region: Some(Box::new(MultiRegionRecord {
            term: 0,
            ..MultiRegionRecord::primary(region(REGIONS[1]))
        })),
    }
}

prop_compose! {
    /// A message whose content is decided by its place in the order, as a primary key would send it.
    fn properties()(term in 1..4u64, seq in 0..4u64) -> Properties {
        let count = u8::try_from(term * 4 + seq).unwrap();
        let told = |number: u8| Told {
            id: KeyMaterialId::from_bytes([number; 32]),
            rotated: (number > 0).then(|| Rotated { at: Timestamp::from_millis(i64::from(number)), by: RotationType::Automatic }),
            wrapped: Some(vec![number]),
        };
        let primary = region(REGIONS[usize::try_from(term % 2).unwrap() * 2]);
        let about = MultiRegionRecord { term, seq, replicas: REGIONS.map(region).to_vec(), ..MultiRegionRecord::primary(primary) };
        Properties { about, rotation: None, on_demand_rotations: u32::from(count), materials: (0..=count).map(told).collect(), pending: None }
    }
}

fn place(message: &Properties) -> (u64, u64) {
    (message.about.term, message.about.seq)
}

proptest! {
    #[test]
    fn in_whatever_order_and_however_often_messages_come_the_newest_holds(
        messages in proptest::collection::vec(properties(), 1..12),
    ) {
        let here = region(REGIONS[1]);
        let mut own = replica();
        for message in &messages {
            if let Some(changed) = message.clone().receive(here, &own) {
                own = changed;
            }
            prop_assert_eq!(message.clone().receive(here, &own), None, "the same again");
        }
        let newest = messages.iter().max_by_key(|message| place(message)).unwrap();
        let expected = newest.clone().receive(here, &replica()).unwrap();
        prop_assert_eq!(&own, &expected);
        prop_assert_eq!((&own.description, own.lifecycle, own.has_policy), (&replica().description, Lifecycle::Disabled, true));
    }

    #[test]
    fn a_message_is_read_back_as_it_was(message in properties()) {
        let bytes = minicbor::to_vec(&message).unwrap();
        prop_assert_eq!(minicbor::decode::<Properties>(&bytes).unwrap(), message);
    }
}
