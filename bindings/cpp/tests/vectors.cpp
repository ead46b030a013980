// Runs testdata/vectors (SPEC.md, section 27): every case of the index through touchmark.hpp. A member or an operation that it does not know fails.
//
//   vectors FOLDER
#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <utility>

#include "case.hpp"
#include "repository.hpp"

namespace {

std::vector<touchmark::public_key> keys_of(const std::vector<std::string> &documents) {
    std::vector<touchmark::public_key> keys;
    for (const std::string &each : documents) keys.push_back(touchmark::public_key::read(each));
    return keys;
}

std::size_t threshold_of(members &given) { return given.at("threshold"); }

std::map<std::string, std::string> texts_of(members &given, const std::string &name) {
    const json *found = given.find(name);
    return found ? found->get<std::map<std::string, std::string>>() : std::map<std::string, std::string>();
}

void canonical_json(members &given, const json &expected) {
    std::string document = given.bytes("document");
    expecting(expected, [&](members &expect) {
        auto output = touchmark::canonical_json(document).string();
        same("output", input(expect.at("output")), output);
    });
}

void digest(members &given, const json &expected) {
    std::string document = given.bytes("document"), algorithm = given.text("algorithm");
    auto which = algorithm == "sha512" ? touchmark::digest_algorithm::sha512 : touchmark::digest_algorithm::sha256;
    if (algorithm != "sha512" && algorithm != "sha256") throw failed("algorithm");
    expecting(expected, [&](members &expect) {
        std::string wanted = expect.text("digest");
        same("digest", wanted, touchmark::digest(document, which));
        for (std::size_t piece : {1, 7, 64}) {
            touchmark::hasher hasher(which);
            for (std::size_t at = 0; at < document.size(); at += piece) hasher.update(std::string_view(document).substr(at, piece));
            same("streamed digest", wanted, hasher.finish());
        }
    });
}

void name(members &given, const json &expected) {
    std::string name = given.text("name");
    expecting(expected, [&](members &) { touchmark::check_name(name); });
}

void public_key(members &given, const json &expected) {
    static const std::map<touchmark::key_algorithm, std::string> names = {
        {touchmark::key_algorithm::ed25519, "ed25519"},
        {touchmark::key_algorithm::ecdsa_p256, "ecdsa-p256"},
        {touchmark::key_algorithm::ecdsa_p384, "ecdsa-p384"},
        {touchmark::key_algorithm::rsa_pss, "rsa-pss"},
    };
    std::string document = given.bytes("key");
    expecting(expected, [&](members &expect) {
        auto key = touchmark::public_key::read(document);
        same_if_told(expect, "algorithm", names.at(key.algorithm()));
        same_if_told(expect, "key_id", std::string(key.id()));
        same("the key written and read again", std::string(key.id()), std::string(touchmark::public_key::read(key.pem()).id()));
        if (key.algorithm() != touchmark::key_algorithm::rsa_pss) {
            same("the raw key read again", std::string(key.id()), std::string(touchmark::public_key::from_raw(key.algorithm(), key.raw()).id()));
        }
    });
}

void signature(members &given, const json &expected) {
    std::string key = given.bytes("key"), message = given.bytes("message"), signature = given.bytes("signature");
    expecting(expected, [&](members &) { touchmark::public_key::read(key).verify(message, signature); });
}

void envelope(members &given, const json &expected) {
    std::string document = given.bytes("envelope");
    auto keys = given.all_bytes("keys");
    std::size_t threshold = threshold_of(given);
    expecting(expected, [&](members &expect) {
        auto envelope = touchmark::envelope::parse(document);
        auto verified = envelope.verify(keys_of(keys), threshold);
        if (const json *payload = expect.find("payload")) same("payload", input(*payload), verified.payload().string());
        same_if_told(expect, "payload_type", std::string(verified.payload_type()));
        std::vector<std::string> ids;
        for (std::size_t index = 0; index < verified.key_count(); index++) ids.emplace_back(verified.key_id(index));
        std::sort(ids.begin(), ids.end());
        same_if_told(expect, "keys", ids);
    });
}

/// What a case asks of an artifact by keys.
class question {
  public:
    explicit question(members &given)
        : keys_(given.all_bytes("keys")), threshold_(threshold_of(given)), name_(given.find("name")), annotations_(texts_of(given, "annotations")) {
        if (const json *types = given.find("predicate_types")) types_ = types->get<std::vector<std::string>>();
    }
    touchmark::policy policy() const {
        touchmark::policy_builder builder(keys_of(keys_), threshold_);
        if (name_) builder.name(name_->get<std::string>());
        for (const auto &[key, value] : annotations_) builder.annotation(key, value);
        for (const auto &type : types_) builder.predicate(type);
        return builder.build();
    }

  private:
    std::vector<std::string> keys_;
    std::size_t threshold_;
    const json *name_;
    std::map<std::string, std::string> annotations_;
    std::vector<std::string> types_;
};

void compare(members &expect, const touchmark::verified_artifact &artifact) {
    same_if_told(expect, "digest", std::string(artifact.digest()));
    same_if_told(expect, "name", std::string(artifact.name()));
}

void verify(members &given, const json &expected) {
    std::string manifest = given.bytes("manifest");
    auto envelopes = given.all_bytes("envelopes");
    std::int64_t at = given.at("at");
    question asked(given);
    expecting(expected, [&](members &expect) {
        auto artifact = asked.policy().verify_manifest(manifest, envelopes, at);
        compare(expect, artifact);
        same("the verified manifest", manifest, artifact.manifest().string());
    });
}

void search(members &given, const json &expected) {
    using kind = touchmark::search::kind;
    members store(given.at("store"));
    auto part = [&](const char *name) {
        const json *found = store.find(name);
        return found ? found->get<std::map<std::string, json>>() : std::map<std::string, json>();
    };
    const auto manifests = part("manifests"), blobs = part("blobs"), referrers = part("referrers");
    store.all_were_asked();
    std::set<std::string> failing;
    if (const json *some = given.find("failing")) failing = some->get<std::set<std::string>>();
    std::string artifact = given.text("artifact"), covered_by = given.text_or_nothing("covered_by"), platform = given.text_or_nothing("platform");
    std::int64_t at = given.at("at");
    question asked(given);
    expecting(expected, [&](members &expect) {
        touchmark::request request(asked.policy(), artifact, at);
        if (!covered_by.empty()) request.covered_by(covered_by);
        if (!platform.empty()) request.platform(platform);
        touchmark::search search(request);
        for (auto need = search.next(); need.kind != kind::done; need = search.next()) {
            std::string digest(need.digest);
            const auto &from = need.kind == kind::manifest ? manifests : need.kind == kind::referrers ? referrers : blobs;
            auto found = from.find(digest);
            if (failing.count(digest)) {
                search.provide_failure(touchmark::failure::unavailable, "it does not answer");
            } else if (need.kind == kind::referrers) {
                search.provide_referrers(found == from.end() ? R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})"
                                                             : input(found->second),
                                         true);
            } else if (found == from.end()) {
                search.provide_failure(touchmark::failure::not_found);
            } else if (need.kind == kind::hash) {
                std::string bytes = input(found->second);
                bool longer = digest.rfind("sha512:", 0) == 0;
                search.provide_hash(touchmark::digest(bytes, longer ? touchmark::digest_algorithm::sha512 : touchmark::digest_algorithm::sha256), bytes.size());
            } else {
                search.provide_bytes(input(found->second));
            }
        }
        compare(expect, search.finish());
    });
}

void tuf(members &given, const json &expected) {
    std::string root = given.bytes("root");
    const json updates = given.at("updates");
    if (!expected.is_null()) throw failed("a TUF case has its expectations in its updates");
    // Once by steps, once by callbacks.
    for (auto run : {&tuf_files::steps, &tuf_files::drive}) {
        tuf_files files;
        files.store["root.json"] = root;
        for (const json &each : updates) {
            members update(each);
            files.repository = update.text("repository");
            std::int64_t at = update.at("at");
            std::optional<touchmark::tuf_client> client;
            expecting(update.at("expect"), [&](members &expect) {
                client.emplace(at);
                (files.*run)(*client);
                if (const json *versions = expect.find("versions")) {
                    json state = json::parse(client->state_json());
                    for (const auto &[role, version] : versions->items()) same("version of " + role, version, state.at(role).at("version"));
                }
            });
            if (const json *targets = update.find("targets")) {
                for (const json &target : *targets) {
                    members asked(target);
                    std::string path = asked.text("path");
                    expecting(asked.at("expect"), [&](members &expect) {
                        client.value().look_up(path);
                        (files.*run)(*client);
                        auto found = client->found();
                        same_if_told(expect, "length", found.length());
                        same_if_told(expect, "role", std::string(found.role()));
                        same_if_told(expect, "sha256", json::parse(found.json()).at("hashes").value("sha256", json()));
                    });
                    asked.all_were_asked();
                }
            }
            update.all_were_asked();
        }
    }
}

void standing(members &given, const json &expected) {
    static const std::map<std::string, touchmark::accept> kinds = {
        {"entry", touchmark::accept::entry}, {"seal", touchmark::accept::seal}, {"envelopes", touchmark::accept::envelopes}};
    tuf_files files;
    files.store["root.json"] = given.bytes("root");
    files.repository = given.text("repository");
    std::string name = given.text("name"), manifest = given.bytes("manifest"), role = given.text_or_nothing("by_role");
    auto envelopes = given.all_bytes("envelopes");
    std::int64_t at = given.at("at");
    std::optional<touchmark::accept> only;
    if (const json *some = given.find("accept_only")) {
        for (const json &each : *some) only = only ? *only | kinds.at(each) : kinds.at(each);
    }
    expecting(expected, [&](members &expect) {
        touchmark::tuf_client client(at);
        files.steps(client);
        client.look_up(name);
        files.steps(client);
        touchmark::policy_builder builder(client.standing(name));
        builder.name(name);
        if (only) builder.accept_only(*only);
        if (!role.empty()) builder.by_role(role);
        auto artifact = builder.build().verify_manifest(manifest, envelopes, at);
        compare(expect, artifact);
        same_if_told(expect, "accepted_by", json::parse(artifact.json()).value("accepted_by", json()));
    });
}

/// The links of a step in a folder, no more than `limit`, and whether these are all.
std::pair<std::vector<std::string>, bool> links_of(const std::string &folder, const std::string &step, std::size_t limit) {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto &entry : std::filesystem::directory_iterator(folder, none)) {
        std::string name = entry.path().filename();
        if (name.size() == step.size() + 14 && name.rfind(step + ".", 0) == 0 && name.substr(name.size() - 5) == ".link") names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    bool complete = names.size() <= limit;
    names.resize(std::min(names.size(), limit));
    return {names, complete};
}

void supply_chain(members &given, const json &expected) {
    using kind = touchmark::supply_chain::kind;
    std::string layout = given.bytes("layout"), links = given.text("links");
    auto parameters = texts_of(given, "parameters");
    auto keys = given.all_bytes("keys");
    std::int64_t at = given.at("at");
    expecting(expected, [&](members &) {
        touchmark::supply_chain chain(layout, keys_of(keys), at, parameters);
        for (auto need = chain.next(); need.kind != kind::done; need = chain.next()) {
            std::string path = links + "/" + std::string(need.name);
            if (need.kind == kind::names && std::filesystem::is_directory(path)) {
                auto [names, complete] = links_of(path, std::string(need.step), need.limit);
                chain.provide_names(names, complete);
                continue;
            }
            auto file = need.kind == kind::file ? read_file(path) : std::nullopt;
            if (!file) {
                chain.provide_absent();
            } else if (file->size() > need.limit) {
                chain.provide_failure(touchmark::failure::too_large);
            } else {
                chain.provide_bytes(*file);
            }
        }
        chain.finish();
    });
}

void policy_document(members &given, const json &expected) {
    std::string document = given.bytes("document"), from = given.text("origin");
    if (from != "local" && from != "signed") throw failed("origin");
    const json *questions = given.find("questions");
    expecting(expected, [&](members &) {
        auto policy = touchmark::policy_document::read(document, from == "signed" ? touchmark::origin::signed_by_root : touchmark::origin::local);
        same("the findings are JSON", true, json::accept(policy.check()));
        for (const json &each : questions ? *questions : json::array()) {
            members question(each);
            std::string reference = question.text_or_nothing("reference"), name = question.text_or_nothing("name");
            expecting(question.at("expect"), [&](members &expect) {
                auto decided = policy.decide(reference, name);
                if (const json *rule = expect.find("rule")) {
                    same("rule", *rule, json::parse(decided));
                }
            });
            question.all_were_asked();
        }
    });
}

void layout(members &given, const json &expected) {
    std::string reference = given.text("reference"), file = given.text_or_nothing("policy");
    std::int64_t at = given.at("at");
    std::optional<question> asked;
    if (file.empty()) asked.emplace(given);
    expecting(expected, [&](members &expect) {
        touchmark::source source(reference);
        compare(expect, asked ? source.verify(asked->policy(), at) : touchmark::policy_file(file).verify(source, at));
    });
}

const std::map<std::string, std::function<void(members &, const json &)>> operations = {
    {"canonical-json", canonical_json},
    {"digest", digest},
    {"name", name},
    {"public-key", public_key},
    {"signature", signature},
    {"envelope", envelope},
    {"verify", verify},
    {"search", search},
    {"tuf", tuf},
    {"standing", standing},
    {"supply-chain", supply_chain},
    {"policy-document", policy_document},
    {"layout", layout},
};

void run(const json &one) {
    members given(one);
    for (const char *said : {"id", "why", "spec"}) given.at(said);
    std::string operation = given.text("operation");
    auto found = operations.find(operation);
    if (found == operations.end()) throw failed("unknown operation " + operation);
    const json *expected = given.find("expect");
    found->second(given, expected ? *expected : json());
    given.all_were_asked();
}

} // namespace

int main(int count, char **arguments) {
    if (count != 2) {
        std::cerr << "usage: vectors FOLDER\n";
        return 2;
    }
    std::filesystem::current_path(arguments[1]);
    json index = json::parse(read_file("index.json").value_or(""));
    if (index.size() != 2 || index.at("format") != 1) {
        std::cerr << "C++: this is another format of vectors\n";
        return 1;
    }
    std::size_t passed = 0, wrong = 0;
    for (const json &each : index.at("cases")) {
        try {
            run(each);
            passed++;
        } catch (const std::exception &why) {
            std::cerr << each.value("id", "?") << ": " << why.what() << '\n';
            wrong++;
        }
    }
    std::cout << "C++: " << passed << " vectors passed, " << wrong << " failed\n";
    return wrong == 0 && passed > 0 ? 0 : 1;
}
