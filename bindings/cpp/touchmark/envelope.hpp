// Canonical JSON, digests, names, keys, signers and envelopes. Include touchmark.hpp.
#ifndef TOUCHMARK_ENVELOPE_HPP
#define TOUCHMARK_ENVELOPE_HPP

#include "base.hpp"

namespace touchmark {

inline buffer canonical_json(bytes_view document) { return detail::make<buffer>(touchmark_canonical_json, document); }

enum class digest_algorithm : std::uint32_t { sha256 = TOUCHMARK_DIGEST_SHA256, sha512 = TOUCHMARK_DIGEST_SHA512 };

/// "sha256:..."
inline std::string digest(bytes_view bytes, digest_algorithm algorithm = digest_algorithm::sha256) {
    return detail::make<buffer>(touchmark_digest, static_cast<std::uint32_t>(algorithm), bytes).string();
}

class hasher : public object<touchmark_hasher, touchmark_hasher_free> {
  public:
    using object::object;
    explicit hasher(digest_algorithm algorithm = digest_algorithm::sha256)
        : object(detail::make<hasher>(touchmark_hasher_new, static_cast<std::uint32_t>(algorithm))) {}
    void update(bytes_view bytes) { detail::call(touchmark_hasher_update, get(), bytes); }
    /// "sha256:..."; afterwards it takes no more.
    std::string finish() { return detail::make<buffer>(touchmark_hasher_finish, get()).string(); }
};

/// Whether it is NAME or NAME:VERSION as a publisher may own it; throws if not.
inline void check_name(std::string_view name) { detail::call(touchmark_name_check, bytes_view(name)); }

enum class key_algorithm : std::uint32_t {
    none = 0,
    ed25519 = TOUCHMARK_KEY_ED25519,
    ecdsa_p256 = TOUCHMARK_KEY_ECDSA_P256,
    ecdsa_p384 = TOUCHMARK_KEY_ECDSA_P384,
    rsa_pss = TOUCHMARK_KEY_RSA_PSS,
};

class public_key : public object<touchmark_public_key, touchmark_public_key_free> {
  public:
    using object::object;
    /// PEM or DER.
    static public_key read(bytes_view pem_or_der) { return try_read(pem_or_der).value(); }
    static outcome<public_key> try_read(bytes_view pem_or_der) noexcept {
        return detail::attempt_to_make<public_key>(touchmark_public_key_read, pem_or_der);
    }
    static public_key from_raw(key_algorithm algorithm, bytes_view raw) {
        return detail::make<public_key>(touchmark_public_key_from_raw, static_cast<std::uint32_t>(algorithm), raw);
    }
    key_algorithm algorithm() const noexcept { return static_cast<key_algorithm>(touchmark_public_key_algorithm(get())); }
    bytes_view raw() const & noexcept { return touchmark_public_key_raw(get()); }
    std::string raw() const && { return detail::copy(raw()); }
    std::string_view id() const & noexcept { return bytes_view(touchmark_public_key_id(get())).text(); }
    std::string id() const && { return detail::copy(id()); }
    std::string pem() const { return detail::make<buffer>(touchmark_public_key_to_pem, get()).string(); }
    void verify(bytes_view message, bytes_view signature) const { try_verify(message, signature).value(); }
    outcome<done> try_verify(bytes_view message, bytes_view signature) const noexcept {
        return detail::attempt(touchmark_public_key_verify, get(), message, signature);
    }
};

#ifdef TOUCHMARK_SIGN
class private_key : public object<touchmark_private_key, touchmark_private_key_free> {
  public:
    using object::object;
    static private_key generate(key_algorithm algorithm = key_algorithm::ed25519) {
        return detail::make<private_key>(touchmark_private_key_generate, static_cast<std::uint32_t>(algorithm));
    }
    static private_key read(bytes_view pem_or_der, bytes_view passphrase = {}) {
        return detail::make<private_key>(touchmark_private_key_read, pem_or_der, passphrase);
    }
    /// Secret; a buffer is wiped, so think before making a string of it.
    buffer pem() const { return detail::make<buffer>(touchmark_private_key_to_pem, get()); }
    buffer encrypted_pem(bytes_view passphrase) const { return detail::make<buffer>(touchmark_private_key_to_encrypted_pem, get(), passphrase); }
    public_key public_half() const { return detail::make<public_key>(touchmark_private_key_public, get()); }
};

/// Signs the message itself: a raw Ed25519 signature, or ECDSA in DER, into the sink.
using sign_function = std::function<void(bytes_view message, sink &signature)>;

class signer : public object<touchmark_signer, touchmark_signer_free> {
  public:
    signer(adopt by, touchmark_signer *handle) noexcept : object(by, handle) {}
    explicit signer(const private_key &key) : object(detail::make<signer>(touchmark_signer_from_key, key.get())) {}
    /// What the function gives is verified with the key before it is used. A signer for several threads needs a function for them.
    signer(const public_key &key, sign_function function) : signer(key, std::make_unique<sign_function>(std::move(function))) {}

  private:
    signer(const public_key &key, std::unique_ptr<sign_function> function)
        : object(detail::make<signer>(touchmark_signer_from_callback, key.get(), &signer::sign, static_cast<void *>(function.get()))),
          function_(std::move(function)) {}
    static touchmark_status sign(void *function, touchmark_bytes message, touchmark_sink *signature) noexcept {
        return detail::guarded(signature, [&]() -> touchmark_status {
            sink out(signature);
            (*static_cast<sign_function *>(function))(message, out);
            return TOUCHMARK_STATUS_OK;
        });
    }
    std::unique_ptr<sign_function> function_;
};
#endif // TOUCHMARK_SIGN

class verified_envelope : public object<touchmark_verified_envelope, touchmark_verified_envelope_free> {
  public:
    using object::object;
    bytes_view payload() const & noexcept { return touchmark_verified_envelope_payload(get()); }
    std::string payload() const && { return detail::copy(payload()); }
    std::string_view payload_type() const & noexcept { return bytes_view(touchmark_verified_envelope_payload_type(get())).text(); }
    std::string payload_type() const && { return detail::copy(payload_type()); }
    /// The keys that signed, among those asked about.
    std::size_t key_count() const noexcept { return touchmark_verified_envelope_key_count(get()); }
    std::string_view key_id(std::size_t index) const & noexcept { return bytes_view(touchmark_verified_envelope_key_id(get(), index)).text(); }
    std::string key_id(std::size_t index) const && { return detail::copy(key_id(index)); }
};

/// Read, not verified.
class envelope : public object<touchmark_envelope, touchmark_envelope_free> {
  public:
    using object::object;
    static envelope parse(bytes_view json) { return try_parse(json).value(); }
    static outcome<envelope> try_parse(bytes_view json) noexcept { return detail::attempt_to_make<envelope>(touchmark_envelope_parse, json); }
    std::string_view payload_type() const & noexcept { return bytes_view(touchmark_envelope_payload_type(get())).text(); }
    std::string payload_type() const && { return detail::copy(payload_type()); }
    bytes_view untrusted_payload() const & noexcept { return touchmark_envelope_untrusted_payload(get()); }
    std::string untrusted_payload() const && { return detail::copy(untrusted_payload()); }
    std::size_t signature_count() const noexcept { return touchmark_envelope_signature_count(get()); }
    /// A hint, and no more; empty if there is none.
    std::string_view signature_keyid(std::size_t index) const & noexcept { return bytes_view(touchmark_envelope_signature_keyid(get(), index)).text(); }
    std::string signature_keyid(std::size_t index) const && { return detail::copy(signature_keyid(index)); }
    std::string json() const { return detail::make<buffer>(touchmark_envelope_to_json, get()).string(); }
    verified_envelope verify(const list_of<public_key> &keys, std::size_t threshold = 1) const { return try_verify(keys, threshold).value(); }
    outcome<verified_envelope> try_verify(const list_of<public_key> &keys, std::size_t threshold = 1) const noexcept {
        return detail::attempt_to_make<verified_envelope>(touchmark_envelope_verify, get(), keys.data(), keys.size(), threshold);
    }
#ifdef TOUCHMARK_SIGN
    static envelope sign(std::string_view payload_type, bytes_view payload, const list_of<signer> &signers) {
        return detail::make_back<envelope>(touchmark_envelope_sign, bytes_view(payload_type), payload, signers.data(), signers.size());
    }
    envelope add_signature(const signer &by) const { return detail::make_back<envelope>(touchmark_envelope_add_signature, get(), by.get()); }
#endif
};

#ifdef TOUCHMARK_SIGN
/// What a signature of an artifact says besides its digest. An empty media type is the manifest's own; `expires` 0 is never.
struct signed_claims {
    std::string_view name;
    pair_list annotations;
    std::string_view media_type;
    std::int64_t issued = 0;
    std::int64_t expires = 0;
};

inline envelope sign_manifest(bytes_view manifest, const signed_claims &says, const list_of<signer> &signers) {
    return detail::make_back<envelope>(touchmark_sign_manifest, manifest, bytes_view(says.media_type), bytes_view(says.name), says.annotations.data(),
                                       says.annotations.size(), says.issued, says.expires, signers.data(), signers.size());
}
#endif // TOUCHMARK_SIGN

} // namespace touchmark
#endif
