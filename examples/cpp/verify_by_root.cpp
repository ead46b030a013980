// Verifies an image in an OCI layout by a trust root, whose metadata comes from wherever the program gets it, here a folder; then by a policy file.
//
//   verify_by_root ROOT METADATA STORE NAME REFERENCE [POLICY]
//
// ROOT is the file root.json that was given by somebody trusted, METADATA the folder with the trust repository's metadata, STORE a folder of ours that
// keeps what was accepted, so that nothing older is accepted later. POLICY is a policy that must accept the image too. Prints the digest, and ends with
// 0 if it is verified, 1 if not, 2 if it cannot be found out.
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>

#include <touchmark.hpp>

namespace {

/// Nothing only if there surely is no such file: one that cannot be looked for or opened is an error.
std::optional<std::string> content_of(const std::filesystem::path &path) {
    if (!std::filesystem::exists(path)) return std::nullopt;
    std::ifstream file(path, std::ios::binary);
    std::string content(std::istreambuf_iterator<char>(file), {});
    if (!file.is_open() || file.bad()) throw std::runtime_error(path.string() + " cannot be read");
    return content;
}

} // namespace

int main(int count, char **arguments) try {
    if (count != 6 && count != 7) {
        std::cerr << "usage: verify_by_root ROOT METADATA STORE NAME REFERENCE [POLICY]\n";
        return 2;
    }
    auto root = content_of(arguments[1]);
    if (!root) throw std::runtime_error(std::string(arguments[1]) + " cannot be read");
    std::filesystem::path metadata = arguments[2];
    // An exception from here would come out of the call that needed the file. Targets, such as the policy that the repository signs itself, are beside.
    auto below = [](std::filesystem::path folder) {
        return [folder](std::string_view path, std::uint64_t limit, touchmark::sink &out) {
            auto file = content_of(folder / path);
            if (file && file->size() > limit) throw std::runtime_error(std::string(path) + " is too large");
            if (file) out.append(*file);
            return file.has_value();
        };
    };

    const std::string name = arguments[4];
    const auto now = std::time(nullptr);
    touchmark::trust_root trust(*root, below(metadata), below(metadata.parent_path() / "targets"), arguments[3], now);
    touchmark::source image(arguments[5]);
    auto artifact = trust.verify(image, name, now);
    if (count == 7) {
        auto again = touchmark::policy_file(arguments[6]).verify(image, now);
        if (again.digest() != artifact.digest()) throw std::runtime_error("the tag was moved between two decisions");
    }
    std::cout << artifact.digest() << '\n';
    return 0;
} catch (const touchmark::error &error) {
    std::cerr << error.code() << ": " << error.message() << '\n';
    return error.status() >= 300 && error.status() < 600 ? 1 : 2;
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return 2;
}
