// OCI layouts in folders and tars, policy files, trust roots with a store in a folder. Include touchmark.hpp.
#ifndef TOUCHMARK_IO_HPP
#define TOUCHMARK_IO_HPP

#include "base.hpp"
#include "decision.hpp"
#include "metadata.hpp"

#ifdef TOUCHMARK_IO
namespace touchmark {

/// An artifact in an OCI layout.
class source : public object<touchmark_source, touchmark_source_free> {
  public:
    using object::object;
    /// oci:PATH[:TAG][@DIGEST] or oci-archive:PATH[:TAG][@DIGEST]
    explicit source(std::string_view reference) : object(detail::make<source>(touchmark_source_open, bytes_view(reference))) {}
    /// What the reference names.
    std::string digest() const { return detail::make<buffer>(touchmark_source_digest, get()).string(); }
    buffer manifest() const { return detail::make<buffer>(touchmark_source_manifest, get()); }
    verified_artifact verify(const policy &by, std::int64_t at) const { return detail::make<verified_artifact>(touchmark_source_verify, get(), by.get(), at); }
    outcome<verified_artifact> try_verify(const policy &by, std::int64_t at) const noexcept {
        return detail::attempt_to_make<verified_artifact>(touchmark_source_verify, get(), by.get(), at);
    }
    verified_artifact verify(const request &asked) const { return detail::make<verified_artifact>(touchmark_source_verify_request, get(), asked.get()); }
#ifdef TOUCHMARK_SIGN
    /// Writes signatures beside the artifact. Folders only.
    void attach(const list_of<envelope> &envelopes) const { detail::call(touchmark_source_attach, get(), envelopes.data(), envelopes.size()); }
#endif
};

/// A policy with the keys, roots and layouts that it names.
class policy_file : public object<touchmark_policy_file, touchmark_policy_file_free> {
  public:
    using object::object;
    explicit policy_file(std::string_view path) : object(detail::make<policy_file>(touchmark_policy_file_open, bytes_view(path))) {}
    /// `name`: the name that is wanted, for rules with `names`; empty to leave it to rules with `reference`. `platform`: which image of an index.
    verified_artifact verify(const source &artifact, std::int64_t at, std::string_view name = {}, std::string_view platform = {}) const {
        return detail::make<verified_artifact>(touchmark_policy_file_verify, get(), artifact.get(), bytes_view(name), bytes_view(platform), at);
    }
};

/// A trust root with a store in a folder.
class trust_root : public object<touchmark_trust_root, touchmark_trust_root_free> {
  public:
    trust_root(adopt by, touchmark_trust_root *handle) noexcept : object(by, handle) {}
    /// `root` is root.json, as it was given by somebody trusted. The metadata is in a folder.
    trust_root(bytes_view root, std::string_view metadata_folder, std::string_view store_folder, std::int64_t at)
        : object(detail::make<trust_root>(touchmark_trust_root_open, root, bytes_view(metadata_folder), bytes_view(store_folder), at)) {}
    /// The metadata, and the targets if they are wanted, by functions.
    trust_root(bytes_view root, fetch_function metadata, fetch_function targets, std::string_view store_folder, std::int64_t at)
        : trust_root(root, std::make_unique<functions>(functions{std::move(metadata), std::move(targets)}), store_folder, at) {}
    /// Whether `artifact` is accepted under `name`, also by the policy that the repository signs itself. `platform`: which image of an index.
    verified_artifact verify(const source &artifact, std::string_view name, std::int64_t at, std::string_view platform = {}) {
        return detail::make_back<verified_artifact>(touchmark_trust_root_verify, get(), artifact.get(), bytes_view(name), bytes_view(platform), at);
    }
    /// What the metadata says of a name, and no more: a policy from it does not ask the one that the repository signs itself, as `verify` does.
    touchmark::standing standing(std::string_view name) {
        return detail::make_back<touchmark::standing>(touchmark_trust_root_standing, get(), bytes_view(name));
    }
    /// The bytes of a target, which were checked.
    buffer target(std::string_view path) { return detail::make_back<buffer>(touchmark_trust_root_target, get(), bytes_view(path)); }
    /// What is worth telling though it did not decide, as JSON.
    std::string notes_json() const { return detail::make<buffer>(touchmark_trust_root_notes_json, get()).string(); }

  private:
    struct functions {
        fetch_function metadata, targets;
    };
    trust_root(bytes_view root, std::unique_ptr<functions> by, std::string_view store_folder, std::int64_t at)
        : object(detail::make_back<trust_root>(touchmark_trust_root_open_with, root, &trust_root::fetch_metadata,
                                               by->targets ? &trust_root::fetch_target : static_cast<touchmark_fetch_fn>(nullptr),
                                               static_cast<void *>(by.get()), bytes_view(store_folder), at)),
          functions_(std::move(by)) {}
    static touchmark_status fetch_metadata(void *by, touchmark_bytes path, std::uint64_t limit, touchmark_sink *out) noexcept {
        return detail::fetched(static_cast<functions *>(by)->metadata, path, limit, out);
    }
    static touchmark_status fetch_target(void *by, touchmark_bytes path, std::uint64_t limit, touchmark_sink *out) noexcept {
        return detail::fetched(static_cast<functions *>(by)->targets, path, limit, out);
    }
    std::unique_ptr<functions> functions_;
};

/// Verifies an in-toto layout against a folder of links. No inspection is run.
inline verified_supply_chain verify_supply_chain(bytes_view layout, const list_of<public_key> &keys, std::string_view links_folder, std::int64_t at,
                                                 const pair_list &parameters = {}) {
    return detail::make<verified_supply_chain>(touchmark_supply_chain_verify_folder, layout, keys.data(), keys.size(), bytes_view(links_folder),
                                               parameters.data(), parameters.size(), at);
}

} // namespace touchmark
#endif // TOUCHMARK_IO
#endif
