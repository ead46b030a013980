// What the C++ binding costs: an envelope is read and verified by a key that was read before.
// bench ENVELOPE PUB prints a line of JSON, nanoseconds for each verification: the median of rounds.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include <touchmark.hpp>

namespace {

constexpr int rounds = 20;
constexpr int calls = 500;

std::string read_file(const char *path) {
    std::ifstream file(path, std::ios::binary);
    file.exceptions(std::ios::badbit | std::ios::failbit);
    return {std::istreambuf_iterator<char>(file), {}};
}

double measure(const std::string &document, const touchmark::public_key &key) {
    const auto begin = std::chrono::steady_clock::now();
    for (int call = 0; call < calls; call++) {
        touchmark::envelope::parse(document).verify(key);
    }
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begin;
    return taken.count() / calls;
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 3) {
        std::cerr << "usage: bench ENVELOPE PUB\n";
        return 2;
    }
    try {
        const auto document = read_file(argv[1]);
        const auto key = touchmark::public_key::read(read_file(argv[2]));
        measure(document, key);
        std::vector<double> taken(rounds);
        for (auto &round : taken) round = measure(document, key);
        std::sort(taken.begin(), taken.end());
        std::cout << R"({"language":"cpp","ns":)" << static_cast<long long>(taken[rounds / 2]) << "}\n";
        return 0;
    } catch (const std::exception &error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
