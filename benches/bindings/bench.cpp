// What the C++ binding costs: an envelope is read and verified by a key that was read before.
// bench ENVELOPE PUB CALLS does so that many times; benches/bindings.py measures the process.
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include <touchmark.hpp>

namespace {

std::string read_file(const char *path) {
    std::ifstream file(path, std::ios::binary);
    file.exceptions(std::ios::badbit | std::ios::failbit);
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 4) {
        std::cerr << "usage: bench ENVELOPE PUB CALLS\n";
        return 2;
    }
    try {
        const auto document = read_file(argv[1]);
        const auto key = touchmark::public_key::read(read_file(argv[2]));
        const long calls = std::stol(argv[3]);
        for (long call = 0; call < calls; call++) {
            touchmark::envelope::parse(document).verify(key);
        }
        return 0;
    } catch (const std::exception &error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
