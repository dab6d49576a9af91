//! Enumerations of the KMS API (service model 2014-11-01).
