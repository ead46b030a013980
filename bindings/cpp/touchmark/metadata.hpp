// Trust metadata (The Update Framework) and in-toto layouts, by steps and by callbacks, without I/O. Include touchmark.hpp.
#ifndef TOUCHMARK_METADATA_HPP
#define TOUCHMARK_METADATA_HPP

#include "base.hpp"
#include "decision.hpp"
#include "envelope.hpp"
#include "standing.hpp"

namespace touchmark {

/// A file that the metadata lists.
class tuf_target : public object<touchmark_tuf_target, touchmark_tuf_target_free> {
  public:
    using object::object;
    std::uint64_t length() const noexcept { return touchmark_tuf_target_length(get()); }
    /// Who lists it.
    std::string_view role() const & noexcept { return bytes_view(touchmark_tuf_target_role(get())).text(); }
    std::string role() const && { return detail::copy(role()); }
    /// Where it is, below the repository's targets.
    std::string fetch_path() const { return detail::make<buffer>(touchmark_tuf_target_fetch_path, get()).string(); }
    /// Throws unless these are its bytes.
    void check(bytes_view bytes) const { detail::call(touchmark_tuf_target_check, get(), bytes); }
    std::string json() const { return detail::make<buffer>(touchmark_tuf_target_to_json, get()).string(); }
};

/// Puts a file into the sink, no more than `limit` bytes. False: there is no such file.
using fetch_function = std::function<bool(std::string_view path, std::uint64_t limit, sink &out)>;

namespace detail {
inline touchmark_status fetched(const fetch_function &function, touchmark_bytes path, std::uint64_t limit, touchmark_sink *out) noexcept {
    return guarded(out, [&]() -> touchmark_status {
        sink bytes(out);
        return function(bytes_view(path).text(), limit, bytes) ? TOUCHMARK_STATUS_OK : TOUCHMARK_STATUS_NOT_FOUND;
    });
}
} // namespace detail

/// What a client does by callbacks. Each must be there.
struct tuf_callbacks {
    /// A file of the repository, by its path below the metadata's URL.
    fetch_function fetch;
    /// A file of the client's store, and how it gets there and goes.
    fetch_function load;
    std::function<void(std::string_view file, bytes_view bytes)> store;
    std::function<void(std::string_view file)> remove;
};

/// A client of a TUF repository. It begins with the `root.json` that the store has.
class tuf_client : public object<touchmark_tuf_client, touchmark_tuf_client_free> {
  public:
    enum class kind : std::uint32_t {
        done = TOUCHMARK_TUF_DONE,
        load = TOUCHMARK_TUF_LOAD,
        fetch = TOUCHMARK_TUF_FETCH,
        store = TOUCHMARK_TUF_STORE,
        remove = TOUCHMARK_TUF_REMOVE,
    };
    struct step {
        tuf_client::kind kind;
        std::string_view name;
        bytes_view bytes;
        std::uint64_t limit;
    };

    using object::object;
    /// `offline`: by what the store has.
    explicit tuf_client(std::int64_t at, bool offline = false) : object(detail::make<tuf_client>(touchmark_tuf_client_new, std::uint32_t(offline), at)) {}
    step next() {
        touchmark_tuf_step each = {};
        detail::call(touchmark_tuf_client_next, get(), &each);
        return {static_cast<kind>(each.kind), bytes_view(each.name).text(), bytes_view(each.bytes), each.limit};
    }
    void provide_bytes(bytes_view bytes) { detail::call(touchmark_tuf_client_provide_bytes, get(), bytes); }
    void provide_absent() { detail::call(touchmark_tuf_client_provide_absent, get()); }
    void provide_done() { detail::call(touchmark_tuf_client_provide_done, get()); }
    void provide_failure(failure why, std::string_view message = {}) {
        detail::call(touchmark_tuf_client_provide_failure, get(), static_cast<std::uint32_t>(why), bytes_view(message));
    }
    /// Asks for a target, or for what is to be known of a NAME[:VERSION]; then there are steps again.
    void look_up(std::string_view path) { detail::call(touchmark_tuf_client_look_up, get(), bytes_view(path)); }
    tuf_target found() { return detail::make<tuf_target>(touchmark_tuf_client_found, get()); }
    touchmark::standing standing(std::string_view name) {
        return detail::make<touchmark::standing>(touchmark_tuf_client_standing, get(), bytes_view(name));
    }
    /// What is trusted so far.
    std::string state_json() const { return detail::make<buffer>(touchmark_tuf_client_state_json, get()).string(); }

    /// Does all steps that there are now.
    void drive(const tuf_callbacks &callbacks) {
        touchmark_tuf_callbacks table = {};
        table.struct_size = sizeof table;
        table.userdata = const_cast<tuf_callbacks *>(&callbacks);
        table.fetch = [](void *all, touchmark_bytes path, std::uint64_t limit, touchmark_sink *out) noexcept {
            return detail::fetched(static_cast<const tuf_callbacks *>(all)->fetch, path, limit, out);
        };
        table.load = [](void *all, touchmark_bytes path, std::uint64_t limit, touchmark_sink *out) noexcept {
            return detail::fetched(static_cast<const tuf_callbacks *>(all)->load, path, limit, out);
        };
        table.store = [](void *all, touchmark_bytes file, touchmark_bytes bytes) noexcept {
            return detail::guarded(nullptr, [&]() -> touchmark_status {
                static_cast<const tuf_callbacks *>(all)->store(bytes_view(file).text(), bytes);
                return TOUCHMARK_STATUS_OK;
            });
        };
        table.remove = [](void *all, touchmark_bytes file) noexcept {
            return detail::guarded(nullptr, [&]() -> touchmark_status {
                static_cast<const tuf_callbacks *>(all)->remove(bytes_view(file).text());
                return TOUCHMARK_STATUS_OK;
            });
        };
        detail::call_back(touchmark_tuf_client_drive, get(), &table);
    }
};

#ifdef TOUCHMARK_SUPPLY_CHAIN
/// A supply chain that was verified.
class verified_supply_chain : public object<touchmark_verified_supply_chain, touchmark_verified_supply_chain_free> {
  public:
    using object::object;
    std::string json() const { return detail::make<buffer>(touchmark_verified_supply_chain_to_json, get()).string(); }
};

/// The verification of an in-toto layout by steps.
class supply_chain : public object<touchmark_supply_chain, touchmark_supply_chain_free> {
  public:
    enum class kind : std::uint32_t {
        done = TOUCHMARK_SUPPLY_CHAIN_DONE,
        file = TOUCHMARK_SUPPLY_CHAIN_FILE,
        names = TOUCHMARK_SUPPLY_CHAIN_NAMES,
        inspection = TOUCHMARK_SUPPLY_CHAIN_INSPECTION,
    };
    struct need {
        supply_chain::kind kind;
        /// A file's path below the folder of links; a folder; an inspection's name.
        std::string_view name;
        /// The step whose links are wanted; of an inspection, its folder.
        std::string_view step;
        std::uint64_t limit;
    };

    using object::object;
    supply_chain(bytes_view layout, const list_of<public_key> &keys, std::int64_t at, const pair_list &parameters = {})
        : object(detail::make<supply_chain>(touchmark_supply_chain_new, layout, keys.data(), keys.size(), parameters.data(), parameters.size(), at)) {}
    need next() {
        touchmark_supply_chain_need each = {};
        detail::call(touchmark_supply_chain_next, get(), &each);
        return {static_cast<kind>(each.kind), bytes_view(each.name).text(), bytes_view(each.step).text(), each.limit};
    }
    void provide_bytes(bytes_view bytes) { detail::call(touchmark_supply_chain_provide_bytes, get(), bytes); }
    void provide_absent() { detail::call(touchmark_supply_chain_provide_absent, get()); }
    void provide_names(const bytes_list &names, bool complete) {
        detail::call(touchmark_supply_chain_provide_names, get(), names.data(), names.size(), std::uint32_t(complete));
    }
    void provide_failure(failure why, std::string_view message = {}) {
        detail::call(touchmark_supply_chain_provide_failure, get(), static_cast<std::uint32_t>(why), bytes_view(message));
    }
    /// The result; an error's JSON has the whole report.
    verified_supply_chain finish() { return detail::make<verified_supply_chain>(touchmark_supply_chain_finish, get()); }
};
#endif // TOUCHMARK_SUPPLY_CHAIN

} // namespace touchmark
#endif
