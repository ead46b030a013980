// The repositories of testdata/vectors, as a client meets them.
#ifndef REPOSITORY_HPP
#define REPOSITORY_HPP

#include <map>

#include "case.hpp"

/// A store in memory and a repository in a folder.
struct tuf_files {
    std::map<std::string, std::string> store;
    std::string repository;

    void steps(touchmark::tuf_client &client) {
        using kind = touchmark::tuf_client::kind;
        for (auto step = client.next(); step.kind != kind::done; step = client.next()) {
            std::string name(step.name);
            std::optional<std::string> file;
            switch (step.kind) {
            case kind::store: store[name] = step.bytes.string(); client.provide_done(); continue;
            case kind::remove: store.erase(name); client.provide_done(); continue;
            case kind::load:
                if (store.count(name)) file = store[name];
                break;
            default: file = read_file(repository + "/" + name);
            }
            if (!file) {
                client.provide_absent();
            } else if (file->size() > step.limit) {
                client.provide_failure(touchmark::failure::too_large);
            } else {
                client.provide_bytes(*file);
            }
        }
    }

    /// The same by callbacks.
    void drive(touchmark::tuf_client &client) {
        auto put = [](const std::optional<std::string> &file, touchmark::sink &out) {
            if (file) out.append(*file);
            return file.has_value();
        };
        touchmark::tuf_callbacks callbacks;
        callbacks.fetch = [&](std::string_view path, std::uint64_t, touchmark::sink &out) { return put(read_file(repository + "/" + std::string(path)), out); };
        callbacks.load = [&](std::string_view file, std::uint64_t, touchmark::sink &out) {
            auto found = store.find(std::string(file));
            return put(found == store.end() ? std::nullopt : std::optional(found->second), out);
        };
        callbacks.store = [&](std::string_view file, touchmark::bytes_view bytes) { store[std::string(file)] = bytes.string(); };
        callbacks.remove = [&](std::string_view file) { store.erase(std::string(file)); };
        client.drive(callbacks);
    }
};

#endif
