// Policies, policy documents, decisions about bytes at hand, and the search that asks for more. Include touchmark.hpp.
#ifndef TOUCHMARK_DECISION_HPP
#define TOUCHMARK_DECISION_HPP

#include "base.hpp"
#include "envelope.hpp"
#include "standing.hpp"

namespace touchmark {

/// An artifact that was verified. Only a decision makes one.
class verified_artifact : public object<touchmark_verified_artifact, touchmark_verified_artifact_free> {
  public:
    using object::object;
    std::string_view digest() const & noexcept { return bytes_view(touchmark_verified_artifact_digest(get())).text(); }
    std::string digest() const && { return detail::copy(digest()); }
    std::string_view media_type() const & noexcept { return bytes_view(touchmark_verified_artifact_media_type(get())).text(); }
    std::string media_type() const && { return detail::copy(media_type()); }
    std::uint64_t size() const noexcept { return touchmark_verified_artifact_size(get()); }
    /// The verified bytes, if the decision read them.
    bytes_view manifest() const & noexcept { return touchmark_verified_artifact_manifest(get()); }
    std::string manifest() const && { return detail::copy(manifest()); }
    /// NAME or NAME:VERSION; empty if no name was asked for.
    std::string_view name() const & noexcept { return bytes_view(touchmark_verified_artifact_name(get())).text(); }
    std::string name() const && { return detail::copy(name()); }
    std::string json() const { return detail::make<buffer>(touchmark_verified_artifact_to_json, get()).string(); }
};

/// What is asked of an artifact. Immutable.
class policy : public object<touchmark_policy, touchmark_policy_free> {
  public:
    using object::object;
    /// Decides by these bytes alone. `at` is in Unix seconds.
    verified_artifact verify_manifest(bytes_view manifest, const bytes_list &envelopes, std::int64_t at) const {
        return try_verify_manifest(manifest, envelopes, at).value();
    }
    outcome<verified_artifact> try_verify_manifest(bytes_view manifest, const bytes_list &envelopes, std::int64_t at) const noexcept {
        return detail::attempt_to_make<verified_artifact>(touchmark_verify_manifest, get(), manifest, envelopes.data(), envelopes.size(), at);
    }
};

/// Kinds of evidence by a trust root; may be joined by `|`.
enum class accept : std::uint32_t { entry = TOUCHMARK_ACCEPT_ENTRY, seal = TOUCHMARK_ACCEPT_SEAL, envelopes = TOUCHMARK_ACCEPT_ENVELOPES };
constexpr accept operator|(accept a, accept b) noexcept { return static_cast<accept>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b)); }

class policy_builder : public object<touchmark_policy_builder, touchmark_policy_builder_free> {
  public:
    using object::object;
    explicit policy_builder(const list_of<public_key> &keys, std::size_t threshold = 1)
        : object(detail::make<policy_builder>(touchmark_policy_builder_from_keys, keys.data(), keys.size(), threshold)) {}
    explicit policy_builder(const standing &says) : object(detail::make<policy_builder>(touchmark_policy_builder_from_standing, says.get())) {}
    /// NAME, NAME:VERSION, or NAME:* for any version.
    policy_builder &name(std::string_view wanted) { return set(touchmark_policy_builder_set_name, bytes_view(wanted)); }
    policy_builder &annotation(std::string_view key, std::string_view value) {
        return set(touchmark_policy_builder_require_annotation, bytes_view(key), bytes_view(value));
    }
    policy_builder &predicate(std::string_view type) { return set(touchmark_policy_builder_require_predicate, bytes_view(type)); }
    policy_builder &accept_only(accept kinds) { return set(touchmark_policy_builder_accept_only, static_cast<std::uint32_t>(kinds)); }
    policy_builder &by_role(std::string_view role) { return set(touchmark_policy_builder_by_role, bytes_view(role)); }
#ifdef TOUCHMARK_SUPPLY_CHAIN
    /// A layout that must hold, which every one of the keys must have signed. Once: a policy has one.
    policy_builder &supply_chain(bytes_view layout, const list_of<public_key> &keys) {
        return set(touchmark_policy_builder_require_supply_chain, layout, keys.data(), keys.size());
    }
#endif
    policy build() const { return detail::make<policy>(touchmark_policy_builder_build, get()); }

  private:
    template <class F, class... Arguments> policy_builder &set(F function, Arguments... arguments) {
        detail::call(function, get(), arguments...);
        return *this;
    }
};

/// Whether a policy document was found on this machine, or signed by a trust root.
enum class origin : std::uint32_t { local = TOUCHMARK_ORIGIN_LOCAL, signed_by_root = TOUCHMARK_ORIGIN_SIGNED };

class policy_document : public object<touchmark_policy_document, touchmark_policy_document_free> {
  public:
    using object::object;
    static policy_document read(bytes_view json, origin from = origin::local) {
        return detail::make<policy_document>(touchmark_policy_document_read, json, static_cast<std::uint32_t>(from));
    }
    /// What is doubtful in it, as JSON.
    std::string check() const { return detail::make<buffer>(touchmark_policy_document_check, get()).string(); }
    /// The rule that decides about a reference and a name, either of which may be empty, as JSON; throws if none does, or if it rejects.
    std::string decide(std::string_view reference, std::string_view name = {}) const {
        return detail::make<buffer>(touchmark_policy_document_decide, get(), bytes_view(reference), bytes_view(name)).string();
    }
};

/// What is asked of a search.
class request : public object<touchmark_request, touchmark_request_free> {
  public:
    using object::object;
    request(const policy &by, std::string_view digest, std::int64_t at) : object(detail::make<request>(touchmark_request_new, by.get(), bytes_view(digest), at)) {}
    request &covered_by(std::string_view index_digest) { return set(touchmark_request_covered_by, bytes_view(index_digest)); }
    request &platform(std::string_view os_arch) { return set(touchmark_request_platform, bytes_view(os_arch)); }
    request &envelopes(const bytes_list &some) { return set(touchmark_request_envelopes, some.data(), some.size()); }
    request &deep() { return set(touchmark_request_deep); }

  private:
    template <class F, class... Arguments> request &set(F function, Arguments... arguments) {
        detail::call(function, get(), arguments...);
        return *this;
    }
};

/// Why something that was asked for cannot be given.
enum class failure : std::uint32_t {
    not_found = TOUCHMARK_FAILURE_NOT_FOUND,
    unavailable = TOUCHMARK_FAILURE_UNAVAILABLE,
    denied = TOUCHMARK_FAILURE_DENIED,
    too_large = TOUCHMARK_FAILURE_TOO_LARGE,
    malformed = TOUCHMARK_FAILURE_MALFORMED,
};

/// A verification by steps: it says what it needs, and whoever has it does the I/O.
class search : public object<touchmark_search, touchmark_search_free> {
  public:
    enum class kind : std::uint32_t {
        done = TOUCHMARK_NEED_DONE,
        manifest = TOUCHMARK_NEED_MANIFEST,
        referrers = TOUCHMARK_NEED_REFERRERS,
        blob = TOUCHMARK_NEED_BLOB,
        hash = TOUCHMARK_NEED_HASH,
    };
    struct need {
        search::kind kind;
        /// Referrers: all that can be found, not only what is found quickly.
        bool thorough;
        std::string_view digest;
        /// In bytes; of a hash, the size.
        std::uint64_t limit;
        std::uint64_t entries;
    };

    using object::object;
    explicit search(const request &asked) : object(detail::make<search>(touchmark_search_new, asked.get())) {}
    need next() {
        touchmark_need each = {};
        detail::call(touchmark_search_next, get(), &each);
        return {static_cast<kind>(each.kind), each.thorough != 0, bytes_view(each.digest).text(), each.limit, each.entries};
    }
    void provide_bytes(bytes_view bytes) { detail::call(touchmark_search_provide_bytes, get(), bytes); }
    void provide_hash(std::string_view digest, std::uint64_t size) { detail::call(touchmark_search_provide_hash, get(), bytes_view(digest), size); }
    /// An OCI image index, as a registry's referrers API answers. `complete`: nothing failed or was left out.
    void provide_referrers(bytes_view index, bool complete, bool more = false) {
        detail::call(touchmark_search_provide_referrers, get(), index, std::uint32_t(complete), std::uint32_t(more));
    }
    void provide_failure(failure why, std::string_view message = {}) {
        detail::call(touchmark_search_provide_failure, get(), static_cast<std::uint32_t>(why), bytes_view(message));
    }
    /// The decision, once nothing is needed any more.
    verified_artifact finish() { return detail::make<verified_artifact>(touchmark_search_finish, get()); }
};

} // namespace touchmark
#endif
