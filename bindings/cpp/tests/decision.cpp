// Tests of policies, decisions, searches, trust metadata, supply chains and what reads files. They run in a folder that test.sh has filled.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>

#include "check.hpp"

using namespace touchmark;

namespace {

// When test.sh made what there is, all of which lives for a week at least.
std::int64_t now() {
    static const std::int64_t at = [] {
        std::ifstream file("now");
        std::int64_t seconds = 0;
        file >> seconds;
        return seconds;
    }();
    return at;
}

std::string content_of(const std::filesystem::path &path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw wrong(path.string() + " is missing");
    return {std::istreambuf_iterator<char>(file), {}};
}

std::optional<std::string> content_if_there(const std::filesystem::path &path) {
    if (!std::filesystem::exists(path)) return std::nullopt;
    return content_of(path);
}

bool put(const std::optional<std::string> &file, sink &out) {
    if (file) out.append(*file);
    return file.has_value();
}

public_key acme() { return public_key::read(content_of("acme.pub")); }
public_key mallory() { return public_key::read(content_of("mallory.pub")); }

const std::string manifest = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]})";

struct stopped : std::runtime_error {
    stopped() : std::runtime_error("the cable was pulled out") {}
};

bool stops(const std::function<void()> &call) {
    try {
        call();
    } catch (const stopped &) {
        return true;
    }
    return false;
}

/// A client's store in memory, and the repository in a folder.
struct files {
    std::map<std::string, std::string> store{{"root.json", content_of("root.json")}};
    int stored = 0, removed = 0;

    tuf_callbacks callbacks() {
        return {
            [](std::string_view path, std::uint64_t, sink &out) { return put(content_if_there(std::filesystem::path("trust/metadata") / path), out); },
            [this](std::string_view file, std::uint64_t, sink &out) {
                auto found = store.find(std::string(file));
                return put(found == store.end() ? std::nullopt : std::optional(found->second), out);
            },
            [this](std::string_view file, bytes_view bytes) { store[std::string(file)] = bytes.string(), stored++; },
            [this](std::string_view file) { store.erase(std::string(file)), removed++; },
        };
    }
};

} // namespace

TEST(bytes_at_hand_are_decided_about) {
    auto key = private_key::generate();
    std::map<std::string, std::string> annotations = {{"channel", "stable"}, {"built-by", "ci"}};
    auto envelope = sign_manifest(manifest, {"acme/x:1", annotations, "", now(), now() + 100}, signer(key));
    auto policy = policy_builder(key.public_half()).name("acme/x:*").annotation("channel", "stable").build();
    auto artifact = policy.verify_manifest(manifest, envelope.json(), now());
    CHECK(artifact.digest() == digest(manifest));
    CHECK(artifact.media_type() == "application/vnd.oci.image.manifest.v1+json" && artifact.size() == manifest.size());
    CHECK(artifact.manifest().text() == manifest && artifact.name() == "acme/x:1");
    CHECK(artifact.json().find(artifact.digest()) != std::string::npos);

    // A bad one beside it does not matter.
    CHECK(policy.verify_manifest(manifest, {"{", envelope.json()}, now()).size() == manifest.size());
    fails_with(TOUCHMARK_STATUS_UNSIGNED, [&] { policy.verify_manifest(manifest, std::vector<std::string>(), now()); });
    fails_with(TOUCHMARK_STATUS_NOT_VERIFIED, [&] { policy.verify_manifest(manifest, envelope.json(), now() + 1000); });
    fails_with(TOUCHMARK_STATUS_NOT_VERIFIED, [&] { policy.verify_manifest(manifest + " ", envelope.json(), now()); });
    fails_with(TOUCHMARK_STATUS_INVALID_TIME, [&] { policy.verify_manifest(manifest, envelope.json(), 0); });
    auto beta = policy_builder(key.public_half()).annotation("channel", "beta").build();
    auto refused = beta.try_verify_manifest(manifest, envelope.json(), now());
    CHECK(!refused && refused.status() == TOUCHMARK_STATUS_NOT_VERIFIED && refused.json().find("report") != std::string_view::npos);
    auto attested = policy_builder({key.public_half(), acme()}, 1).predicate("https://slsa.dev/provenance/v1").build();
    CHECK(!attested.try_verify_manifest(manifest, envelope.json(), now()));
    fails_with(TOUCHMARK_STATUS_INVALID_THRESHOLD, [&] { policy_builder(key.public_half(), 2); });
    fails_with(TOUCHMARK_STATUS_INVALID_NAME, [&] { policy_builder(key.public_half()).name("no name"); });
}

TEST(a_search_asks_for_what_it_needs) {
    auto key = private_key::generate();
    auto envelope = sign_manifest(manifest, {"acme/x:1", {}, "", now(), 0}, signer(key));
    auto policy = policy_builder(key.public_half()).name("acme/x:1").build();
    auto run = [&](search &search, std::optional<failure> failing) {
        for (auto need = search.next(); need.kind != search::kind::done; need = search.next()) {
            if (need.kind == search::kind::referrers && failing) {
                search.provide_failure(*failing, "it does not answer");
            } else if (need.kind == search::kind::referrers) {
                search.provide_referrers(R"({"schemaVersion":2,"manifests":[]})", true);
            } else if (need.kind == search::kind::manifest && need.digest == digest(manifest)) {
                CHECK(need.limit >= manifest.size());
                search.provide_bytes(manifest);
            } else {
                search.provide_failure(failure::not_found);
            }
        }
    };
    search with(request(policy, digest(manifest), now()).envelopes(envelope.json()));
    fails_with(TOUCHMARK_STATUS_WRONG_STATE, [&] { with.finish(); });
    run(with, std::nullopt);
    CHECK(with.finish().digest() == digest(manifest));
    fails_with(TOUCHMARK_STATUS_WRONG_STATE, [&] { with.finish(); });

    search without(request(policy, digest(manifest), now()));
    run(without, std::nullopt);
    fails_with(TOUCHMARK_STATUS_UNSIGNED, [&] { without.finish(); });
    search unknown(request(policy, digest(manifest), now()));
    run(unknown, failure::unavailable);
    fails_with(TOUCHMARK_STATUS_UNKNOWN, [&] { unknown.finish(); });

    search out_of_order(request(policy, digest(manifest), now()).deep());
    CHECK(out_of_order.next().kind != search::kind::done);
    try {
        out_of_order.provide_hash(digest("x"), 1);
    } catch (const touchmark::error &error) {
        CHECK(error.status() == TOUCHMARK_STATUS_WRONG_STATE);
    }
    fails_with(TOUCHMARK_STATUS_INVALID_DIGEST, [&] { request(policy, "sha256:short", now()); });
    fails_with(TOUCHMARK_STATUS_INVALID_DIGEST, [&] { request(policy, digest(manifest), now()).covered_by("no digest"); });
    fails_with(TOUCHMARK_STATUS_INVALID_ARGUMENT, [&] { request(policy, digest(manifest), now()).platform(""); });
}

TEST(policy_documents_say_which_rule_decides) {
    auto document = policy_document::read(R"({"version":1,"rules":[{"names":"bad/**","reject":true},{"names":"acme/**","keys":"acme.pub"}]})");
    CHECK(!document.check().empty());
    CHECK(document.decide("", "acme/x:1").find("acme/**") != std::string::npos);
    fails_with(TOUCHMARK_STATUS_POLICY_REJECTED, [&] { document.decide("", "bad/x:1"); });
    fails_with(TOUCHMARK_STATUS_POLICY_REJECTED, [&] { document.decide("", "other/x:1"); });
    fails_with(TOUCHMARK_STATUS_MALFORMED_POLICY, [] { policy_document::read("{}"); });
    fails_with(TOUCHMARK_STATUS_MALFORMED_POLICY, [] { policy_document::read(R"({"version":1,"rules":[{"reference":"**","keys":"a"}]})", origin::signed_by_root); });
}

TEST(layouts_in_folders_and_tars_are_verified) {
    auto policy = policy_builder(acme()).name("acme/net-monitor:1.2.0").build();
    source folder("oci:shop:1.2.0");
    CHECK(digest(folder.manifest().bytes()) == folder.digest());
    CHECK(folder.verify(policy, now()).digest() == folder.digest());
    CHECK(source("oci-archive:shop.tar:1.2.0").verify(policy, now()).digest() == folder.digest());
    CHECK(folder.verify(request(policy, folder.digest(), now())).digest() == folder.digest());
    auto refused = folder.try_verify(policy_builder(mallory()).build(), now());
    CHECK(!refused && refused.status() == TOUCHMARK_STATUS_NOT_VERIFIED);
    fails_with(TOUCHMARK_STATUS_INVALID_REFERENCE, [] { source("nowhere"); });

    auto key = private_key::generate();
    folder.attach(sign_manifest(folder.manifest().bytes(), {"acme/net-monitor:1.2.0", {}, "", now(), 0}, signer(key)));
    CHECK(source("oci:shop:1.2.0").verify(policy_builder({key.public_half(), acme()}, 2).build(), now()).digest() == folder.digest());
}

TEST(policy_files_decide_about_layouts) {
    policy_file file("accepts.json");
    source image("oci:shop:1.2.0");
    CHECK(file.verify(image, now()).digest() == image.digest());
    fails_with(TOUCHMARK_STATUS_NOT_VERIFIED, [&] { policy_file("refuses.json").verify(image, now()); });
    // Another name than the rule expects; another image than there is.
    CHECK(file.verify(image, now(), "acme/net-monitor:1.2.0").digest() == image.digest());
    fails_with(TOUCHMARK_STATUS_INVALID_ARGUMENT, [&] { file.verify(image, now(), "acme/net-monitor:1.3.0"); });
    fails_with(TOUCHMARK_STATUS_POLICY_REJECTED, [&] { file.verify(image, now(), {}, "linux/amd64"); });
}

TEST(trust_metadata_by_callbacks) {
    files files;
    tuf_client client(now());
    client.drive(files.callbacks());
    CHECK(files.stored > 0 && files.store.count("timestamp.json"));
    CHECK(client.state_json().find("\"timestamp\"") != std::string::npos);
    client.look_up("acme/net-monitor:1.2.0");
    client.drive(files.callbacks());
    auto standing = client.standing("acme/net-monitor:1.2.0");
    CHECK(standing.expires() > now() && !standing.json().empty());
    auto policy = policy_builder(standing).by_role("acme").accept_only(accept::envelopes | accept::seal).build();
    CHECK(source("oci:shop:1.2.0").verify(policy, now()).name() == "acme/net-monitor:1.2.0");
    auto entries = policy_builder(standing).accept_only(accept::entry).build();
    fails_with(TOUCHMARK_STATUS_NOT_VERIFIED, [&] { source("oci:shop:1.2.0").verify(entries, now()); });

    client.look_up("acme/notes.txt");
    client.drive(files.callbacks());
    auto target = client.found();
    auto bytes = content_of("notes.txt");
    CHECK(target.length() == bytes.size() && target.role() == "acme" && !target.fetch_path().empty() && !target.json().empty());
    target.check(bytes);
    fails_with(TOUCHMARK_STATUS_NOT_VERIFIED, [&] { target.check(bytes + " "); });
    client.look_up("acme/nothing.txt");
    client.drive(files.callbacks());
    fails_with(TOUCHMARK_STATUS_NOT_FOUND, [&] { client.found(); });

    // By what is in the store, without the repository.
    auto callbacks = files.callbacks();
    callbacks.fetch = [](std::string_view, std::uint64_t, sink &) -> bool { throw stopped(); };
    tuf_client offline(now(), true);
    offline.drive(callbacks);
    tuf_client late(now() + 400 * 86400, true);
    fails_with(TOUCHMARK_STATUS_EXPIRED_METADATA, [&] { late.drive(callbacks); });
}

TEST(what_a_callback_of_a_client_throws_comes_out_of_drive) {
    files files;
    auto callbacks = files.callbacks();
    callbacks.fetch = [](std::string_view, std::uint64_t, sink &) -> bool { throw stopped(); };
    tuf_client first(now());
    CHECK(stops([&] { first.drive(callbacks); }));
    callbacks = files.callbacks();
    callbacks.load = [](std::string_view, std::uint64_t, sink &) -> bool { throw stopped(); };
    tuf_client second(now());
    CHECK(stops([&] { second.drive(callbacks); }));
    callbacks = files.callbacks();
    callbacks.store = [](std::string_view, bytes_view) { throw stopped(); };
    tuf_client third(now());
    CHECK(stops([&] { third.drive(callbacks); }));
    // One that is not there is an exception as well, and no crash.
    callbacks.store = nullptr;
    tuf_client fourth(now());
    bool thrown = false;
    try {
        fourth.drive(callbacks);
    } catch (const std::bad_function_call &) {
        thrown = true;
    }
    CHECK(thrown);
}

TEST(trust_metadata_by_steps) {
    files files;
    tuf_client client(now());
    for (auto step = client.next(); step.kind != tuf_client::kind::done; step = client.next()) {
        std::string name(step.name);
        if (step.kind == tuf_client::kind::store) {
            files.store[name] = step.bytes.string();
            client.provide_done();
        } else if (step.kind == tuf_client::kind::remove) {
            files.store.erase(name);
            client.provide_done();
        } else {
            bool load = step.kind == tuf_client::kind::load;
            auto file = load ? files.store.count(name) ? std::optional(files.store[name]) : std::nullopt : content_if_there("trust/metadata/" + name);
            file ? client.provide_bytes(*file) : client.provide_absent();
        }
    }
    tuf_client broken(now());
    fails_with(TOUCHMARK_STATUS_UNKNOWN, [&] {
        for (auto step = broken.next(); step.kind != tuf_client::kind::done; step = broken.next()) {
            if (step.kind == tuf_client::kind::load && step.name == "root.json") broken.provide_bytes(files.store["root.json"]);
            else if (step.kind == tuf_client::kind::load) broken.provide_absent();
            else if (step.kind == tuf_client::kind::fetch) broken.provide_failure(failure::unavailable, "no network");
            else broken.provide_done();
        }
    });
    fails_with(TOUCHMARK_STATUS_INVALID_TIME, [] { tuf_client(0); });
}

TEST(trust_roots_with_a_store) {
    const auto root = content_of("root.json");
    source image("oci:shop:1.2.0");
    trust_root folder(root, "trust/metadata", "store", now());
    auto standing = folder.standing("acme/net-monitor:1.2.0");
    CHECK(image.verify(policy_builder(standing).build(), now()).name() == "acme/net-monitor:1.2.0");
    CHECK(!folder.notes_json().empty());
    CHECK(folder.verify(image, "acme/net-monitor:1.2.0", now()).digest() == image.digest());
    fails_with(TOUCHMARK_STATUS_NOT_VERIFIED, [&] { folder.verify(image, "acme/net-monitor:1.3.0", now()); });
    // Two names of the trust root are two decisions.
    fails_with(TOUCHMARK_STATUS_NOT_VERIFIED, [&] { image.verify(policy_builder(folder.standing("acme/net-monitor:1.3.0")).build(), now()); });

    auto in_folder = [](const char *folder) {
        return [=](std::string_view path, std::uint64_t, sink &out) { return put(content_if_there(std::filesystem::path(folder) / path), out); };
    };
    trust_root by_functions(root, in_folder("trust/metadata"), in_folder("trust/targets"), "store-2", now());
    trust_root moved = std::move(by_functions);
    CHECK(moved.standing("acme/net-monitor:1.2.0").expires() == standing.expires());
    CHECK(moved.target("notes.txt").text() == content_of("notes.txt"));
    // Of the top-level targets alone.
    fails_with(TOUCHMARK_STATUS_NOT_FOUND, [&] { moved.target("acme/notes.txt"); });

    auto stopping = [](std::string_view, std::uint64_t, sink &) -> bool { throw stopped(); };
    trust_root no_targets(root, in_folder("trust/metadata"), stopping, "store-3", now());
    CHECK(stops([&] { no_targets.target("notes.txt"); }));
    CHECK(stops([&] {
        trust_root nothing(root, stopping, nullptr, "store-4", now());
        nothing.standing("acme/net-monitor:1.2.0");
    }));
}

TEST(a_trust_root_decides_with_the_policy_that_its_repository_signs) {
    const auto root = content_of("owned/metadata/1.root.json");
    source image("oci:shop:1.2.0");
    trust_root owned(root, "owned/metadata", "store-owned", now());
    // What the metadata says of the name is no more than that.
    CHECK(image.verify(policy_builder(owned.standing("acme/net-monitor:1.2.0")).build(), now()).digest() == image.digest());
    fails_with(TOUCHMARK_STATUS_POLICY_REJECTED, [&] { owned.verify(image, "acme/net-monitor:1.2.0", now()); });
}

TEST(what_is_wrong_in_a_callback_ends_the_call_though_the_store_would_do) {
    const auto root = content_of("root.json");
    { trust_root first(root, "trust/metadata", "store-5", now()); }
    auto away = [](std::string_view, std::uint64_t, sink &) -> bool { throw std::runtime_error("nobody answers"); };
    CHECK(trust_root(root, away, nullptr, "store-5", now()).notes_json().size() > 2);
    auto faulty = [](std::string_view, std::uint64_t, sink &) -> bool { throw std::logic_error("no such thing"); };
    bool thrown = false;
    try {
        trust_root(root, faulty, nullptr, "store-5", now());
    } catch (const std::logic_error &) {
        thrown = true;
    }
    CHECK(thrown);
    // The store is free.
    trust_root last(root, "trust/metadata", "store-5", now());
}

TEST(supply_chains_are_verified_by_steps_and_in_a_folder) {
    const auto layout = content_of("root.layout");
    auto owner = public_key::read(content_of("owner.pub"));
    CHECK(!verify_supply_chain(layout, owner, "links", now()).json().empty());
    auto run = [&](supply_chain &chain) {
        for (auto need = chain.next(); need.kind != supply_chain::kind::done; need = chain.next()) {
            auto file = need.kind == supply_chain::kind::file ? content_if_there("links/" + std::string(need.name)) : std::nullopt;
            if (need.kind == supply_chain::kind::names) chain.provide_names(std::vector<std::string>(), true);
            else file ? chain.provide_bytes(*file) : chain.provide_absent();
        }
    };
    supply_chain good(layout, owner, now(), {{"unused", "parameter"}});
    run(good);
    CHECK(!good.finish().json().empty());
    supply_chain bad(layout, mallory(), now());
    auto error = fails_with(TOUCHMARK_STATUS_UNTRUSTED_METADATA, [&] {
        run(bad);
        bad.finish();
    });
    CHECK(error.json().find("report") != std::string_view::npos);
    supply_chain broken(layout, owner, now());
    fails_with(TOUCHMARK_STATUS_UNKNOWN, [&] {
        while (broken.next().kind != supply_chain::kind::done) broken.provide_failure(failure::unavailable, "no network");
        broken.finish();
    });
    auto demanding = policy_builder(acme()).supply_chain(layout, owner).build();
    fails_with(TOUCHMARK_STATUS_NOT_VERIFIED, [&] { source("oci:shop:1.2.0").verify(demanding, now()); });
}

int main() { return run_tests(); }
