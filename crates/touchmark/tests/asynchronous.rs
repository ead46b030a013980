//! Deciding over a source that is read asynchronously, without a runtime.
#![cfg(all(feature = "async", feature = "sign"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use touchmark::envelope::key::KeyAlgorithm;
use touchmark::envelope::manifest::IMAGE_MANIFEST;
use touchmark::envelope::sign::{PrivateKey, Signer};
use touchmark::oci::layout::Layout;
use touchmark::oci::source::{Referrers, Source as _, Store as _};
use touchmark::sign::{Claim, Repeat, sign};
use touchmark::trust::Failure;
use touchmark::{AsyncSource, Class, Digest, Policy, Request, UnixTime, verify_async};

/// An OCI layout whose every answer comes only when asked a second time.
struct Slow {
    layout: Layout,
    waits: Cell<usize>,
}

impl Slow {
    async fn wait(&self) {
        let mut first = true;
        std::future::poll_fn(|context| {
            if std::mem::take(&mut first) {
                self.waits.set(self.waits.get() + 1);
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
    }
}

impl AsyncSource for Slow {
    async fn manifest(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Failure> {
        self.wait().await;
        self.layout.manifest(digest, limit).map_err(|error| Failure::Unavailable(error.to_string()))
    }

    fn readers(&self) -> usize {
        8
    }

    async fn manifests(&self, digests: &[Digest], limit: u64) -> Vec<Result<Vec<u8>, Failure>> {
        self.wait().await;
        let read = |digest| self.layout.manifest(digest, limit).map_err(|error| Failure::Unavailable(error.to_string()));
        digests.iter().map(read).collect()
    }

    async fn blob(&self, digest: &Digest, _: u64) -> Result<Vec<u8>, Failure> {
        self.wait().await;
        let (_, mut content) = self.layout.blob(digest).map_err(|_| Failure::NotFound)?;
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut content, &mut bytes).map_err(|error| Failure::Unavailable(error.to_string()))?;
        Ok(bytes)
    }

    async fn referrers(&self, subject: &Digest, entries: usize, bytes: u64) -> Result<Referrers, Failure> {
        self.wait().await;
        self.layout.referrers(subject, entries, bytes).map_err(|error| Failure::Unavailable(error.to_string()))
    }

    async fn hash(&self, digest: &Digest, _: u64) -> Result<(Digest, u64), Failure> {
        let bytes = self.blob(digest, u64::MAX).await?;
        Ok((digest.algorithm().digest(&bytes), bytes.len().try_into().unwrap_or(u64::MAX)))
    }
}

/// Polls until it is done; every waiting point must wake.
fn block_on<T>(future: impl Future<Output = T>) -> (T, usize) {
    let mut future = pin!(future);
    let mut polls = 0;
    loop {
        polls += 1;
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => return (value, polls),
            Poll::Pending => assert!(polls < 1_000, "it does not end"),
        }
    }
}

#[test]
fn the_verdict_is_that_of_the_blocking_driver() {
    let path = std::env::temp_dir().join(format!("touchmark-async-{}", std::process::id()));
    let layout = Layout::open_or_create(&path).unwrap();
    let config = layout.put_blob(None, &mut b"{}".as_slice()).unwrap();
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE_MANIFEST}","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{}","size":2}},"layers":[]}}"#,
        config.digest
    );
    let artifact = layout.put_manifest(manifest.as_bytes(), IMAGE_MANIFEST, None).unwrap().digest;
    let key = PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[7; 32]).unwrap();
    let policy = Policy::keys([key.public_key().clone()]).unwrap();
    let now = UnixTime::from_seconds(1_000_000).unwrap();
    let source = Slow { layout, waits: Cell::new(0) };
    let ask = || verify_async(&source, Request::new(policy.clone(), artifact, now).deep());

    let (unsigned, _) = block_on(ask());
    assert_eq!(unsigned.unwrap_err().class(), Class::Unsigned);

    let signers: Vec<Box<dyn Signer>> = vec![Box::new(key)];
    sign(&source.layout, &artifact, &signers, &Claim::default(), Repeat::Skip, now).unwrap();
    source.waits.set(0);
    let (signed, polls) = block_on(ask());
    let signed = signed.unwrap();
    assert_eq!((signed.get().descriptor().digest, signed.get().hashed()), (artifact, Some(1)));
    assert_eq!((source.waits.get(), polls), (4, 5), "manifest, referrers, signature, and the config for deep");

    // Five keys are asked for: their signatures are fetched together.
    let keys: Vec<_> = (10..15).map(|n| PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[n; 32]).unwrap()).collect();
    let policy = Policy::keys(keys.iter().map(|key| key.public_key().clone())).unwrap().threshold(5).unwrap();
    for key in keys {
        let signers: Vec<Box<dyn Signer>> = vec![Box::new(key)];
        sign(&source.layout, &artifact, &signers, &Claim::default(), Repeat::Skip, now).unwrap();
    }
    source.waits.set(0);
    let (signed, _) = block_on(verify_async(&source, Request::new(policy, artifact, now)));
    assert_eq!(signed.unwrap().get().accepted().len(), 5);
    assert_eq!(source.waits.get(), 4, "manifest, referrers, five signatures of which one is the other key's, and the sixth");
    std::fs::remove_dir_all(path).unwrap();
}
