// Verifies an image in an OCI layout by public keys: a folder, or a tar.
//
//   verify_layout REFERENCE NAME THRESHOLD KEY...
//
// REFERENCE is oci:FOLDER:TAG or oci-archive:FILE.tar:TAG, NAME what it must have been signed as, KEY a file with a public key. Prints the digest and
// ends with 0 if it is verified, 1 if not, 2 if it cannot be found out.
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include <touchmark.hpp>

namespace {

std::string content_of(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(path + " cannot be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

int main(int count, char **arguments) try {
    if (count < 5) {
        std::cerr << "usage: verify_layout REFERENCE NAME THRESHOLD KEY...\n";
        return 2;
    }
    std::vector<touchmark::public_key> keys;
    for (int each = 4; each < count; each++) keys.push_back(touchmark::public_key::read(content_of(arguments[each])));

    auto policy = touchmark::policy_builder(keys, std::stoul(arguments[3])).name(arguments[2]).build();
    auto artifact = touchmark::source(arguments[1]).verify(policy, std::time(nullptr));
    // What is used from here on is this digest: a tag may have been moved meanwhile.
    std::cout << artifact.digest() << '\n';
    return 0;
} catch (const touchmark::error &error) {
    std::cerr << error.code() << ": " << error.message() << '\n';
    // 3xx to 5xx is a decision; anything else says nothing of the image.
    return error.status() >= 300 && error.status() < 600 ? 1 : 2;
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return 2;
}
