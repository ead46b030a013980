// What a case of testdata/vectors is read by: inputs, members that must all be known, and what is expected.
#ifndef CASE_HPP
#define CASE_HPP

#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <touchmark.hpp>

using json = nlohmann::json;

struct failed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A file, if it is there.
inline std::optional<std::string> read_file(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    std::ostringstream content;
    content << file.rdbuf();
    if (!file) return std::nullopt; // a folder
    return content.str();
}

inline std::string from_base64(const std::string &text) {
    static const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    unsigned bits = 0, held = 0;
    for (char each : text) {
        if (each == '=') break;
        auto digit = digits.find(each);
        if (digit == std::string::npos) throw failed("base64");
        bits = (bits << 6 | unsigned(digit)) & 0xffff;
        held += 6;
        if (held >= 8) bytes.push_back(char(bits >> (held -= 8) & 0xff));
    }
    return bytes;
}

inline std::string input(const json &value) {
    if (value.size() != 1) throw failed("an input has one member: " + value.dump());
    if (value.contains("text")) return value["text"];
    if (value.contains("base64")) return from_base64(value["base64"]);
    std::string path = value.at("file");
    auto content = read_file(path);
    if (!content) throw failed("there is no file " + path);
    return *content;
}

/// An object of which every member must be asked for.
class members {
  public:
    explicit members(const json &object) : object_(object) {}
    const json *find(const std::string &name) {
        asked_.insert(name);
        auto found = object_.find(name);
        return found == object_.end() ? nullptr : &*found;
    }
    const json &at(const std::string &name) {
        if (const json *found = find(name)) return *found;
        throw failed("no member " + name);
    }
    std::string text(const std::string &name) { return at(name); }
    std::string text_or_nothing(const std::string &name) {
        const json *found = find(name);
        return found ? found->get<std::string>() : std::string();
    }
    std::string bytes(const std::string &name) { return input(at(name)); }
    std::vector<std::string> all_bytes(const std::string &name) {
        std::vector<std::string> all;
        for (const json &each : at(name)) all.push_back(input(each));
        return all;
    }
    void all_were_asked() const {
        for (const auto &[name, value] : object_.items()) {
            if (!asked_.count(name)) throw failed("unknown member " + name);
        }
    }

  private:
    const json &object_;
    std::set<std::string> asked_;
};

inline void same(const std::string &what, const json &wanted, const json &found) {
    if (wanted != found) throw failed(what + ": " + found.dump() + " where " + wanted.dump() + " is expected");
}

inline void same_if_told(members &expect, const std::string &member, const json &found) {
    if (const json *wanted = expect.find(member)) same(member, *wanted, found);
}

/// Runs `steps` and compares how it ended with `expect`: status, code, and what `result` compares if it succeeded.
template <class Steps> void expecting(const json &expected, Steps steps) {
    members expect(expected);
    std::string wanted = expect.text("status");
    const json *code = expect.find("code");
    std::string status = "OK", found_code, message;
    try {
        steps(expect);
    } catch (const touchmark::error &error) {
        status = touchmark::status_name(error.status());
        found_code = error.code();
        message = error.message();
        json parsed = json::parse(error.json());
        same("the error's JSON", found_code, parsed.at("code"));
    }
    if (status != wanted) throw failed(status + " (" + found_code + ": " + message + ") where " + wanted + " is expected");
    if (code) same("code", *code, found_code);
    expect.all_were_asked();
}

#endif
