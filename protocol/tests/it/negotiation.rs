//! How two builds find out whether they can speak.

use onesocket_protocol::{
    Epoch, Hello, Preface, PrefaceError, TabId, TabToken, Version, VersionRange, Welcome,
};
use proptest::prelude::*;

proptest! {
    #[test]
    fn the_newest_common_version_is_in_both_ranges_and_none_is_newer(a: [u16; 2], b: [u16; 2]) {
        let range = |[x, y]: [u16; 2]| VersionRange { min: x.min(y), max: x.max(y) };
        let (a, b) = (range(a), range(b));
        let contains = |range: VersionRange, number| (range.min..=range.max).contains(&number);
        let common = a.newest_common(b);
        prop_assert_eq!(common, b.newest_common(a));
        if let Some(version) = common {
            prop_assert!(contains(a, version.number()) && contains(b, version.number()));
        }
        let known = (0..=Version::NEWEST.number()).filter_map(Version::from_number);
        let best = known.filter(|v| contains(a, v.number()) && contains(b, v.number())).max();
        prop_assert_eq!(common, best);
    }

    #[test]
    fn a_range_without_a_version_has_none_in_common(min: u16, max: u16) {
        prop_assume!(min > max);
        prop_assert_eq!(VersionRange::OURS.newest_common(VersionRange { min, max }), None);
    }
}

#[test]
fn this_build_speaks_every_version_of_its_range() {
    let VersionRange { min, max } = VersionRange::OURS;
    for number in min..=max {
        assert_eq!(
            Version::from_number(number).map(Version::number),
            Some(number)
        );
    }
    assert_eq!(Version::from_number(min - 1), None);
    assert_eq!(Version::from_number(max + 1), None);
    assert_eq!(
        VersionRange::OURS.newest_common(VersionRange::OURS),
        Some(Version::NEWEST)
    );
}

#[test]
fn ranges_that_touch_have_one_version_in_common_and_neighbours_none() {
    let range = |min, max| VersionRange { min, max };
    let newest = |a: VersionRange, b| a.newest_common(b).map(Version::number);
    assert_eq!(newest(range(1, 1), range(1, 1)), Some(1));
    assert_eq!(newest(range(1, 2), range(1, 1)), Some(1));
    assert_eq!(newest(range(1, u16::MAX), range(1, 1)), Some(1));
    assert_eq!(newest(range(1, 1), range(2, 2)), None);
    assert_eq!(newest(range(1, 1), range(2, u16::MAX)), None);
    assert_eq!(newest(range(u16::MAX, u16::MAX), range(1, u16::MAX)), None);
}

#[test]
fn the_version_for_tests_is_in_no_build_that_did_not_ask_for_it() {
    if cfg!(not(feature = "next-version")) {
        assert_eq!(VersionRange::OURS, VersionRange { min: 1, max: 1 });
    }
}

#[test]
fn a_hello_that_ends_before_the_build_number_has_given_none() {
    let hello = Hello {
        build: u64::MAX,
        ..Hello::new(TabToken(1), true)
    };
    let bytes = hello.encode();
    let silent = Hello { build: 0, ..hello };
    for len in 18..bytes.len() {
        assert_eq!(Preface::decode(&bytes[..len]), Ok(Preface::Hello(silent)));
    }
    assert_eq!(Preface::decode(&bytes), Ok(Preface::Hello(hello)));
    assert!(Preface::decode(&bytes[..17]).is_err());
}

#[test]
fn a_range_that_is_none_is_refused() {
    for (min, max) in [(0, 1), (0, 0), (2, 1)] {
        let versions = VersionRange { min, max };
        let hello = Hello {
            versions,
            ..Hello::new(TabToken(1), false)
        };
        let error = PrefaceError::Invalid {
            field: "version range",
        };
        assert_eq!(Preface::decode(&hello.encode()), Err(error));
    }
}

#[test]
fn a_welcome_to_a_version_that_its_worker_does_not_speak_is_refused() {
    for version in [0, 1, 5] {
        let versions = VersionRange { min: 2, max: 4 };
        let welcome = Welcome {
            version,
            versions,
            epoch: Epoch(1),
            tab: TabId(1),
        };
        let error = PrefaceError::Invalid { field: "version" };
        assert_eq!(Preface::decode(&welcome.encode()), Err(error));
    }
}
