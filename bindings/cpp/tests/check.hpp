// What the tests are written with: TEST registers one, CHECK and the like fail it.
#ifndef CHECK_HPP
#define CHECK_HPP

#include <functional>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <touchmark.hpp>

inline std::vector<std::pair<const char *, void (*)()>> &all_tests() {
    static std::vector<std::pair<const char *, void (*)()>> tests;
    return tests;
}

struct wrong : std::logic_error {
    using std::logic_error::logic_error;
};

#define TEST(name)                                                          \
    static void name();                                                     \
    static const bool name##_is_there = (all_tests().emplace_back(#name, name), true); \
    static void name()

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) throw wrong(std::string(__FILE__) + ":" + std::to_string(__LINE__) + ": " #condition); \
    } while (0)

/// That `call` throws a touchmark::error with this status; gives the error.
inline touchmark::error fails_with(touchmark::status status, const std::function<void()> &call) {
    try {
        call();
    } catch (const touchmark::error &error) {
        if (error.status() != status) {
            std::ostringstream what;
            what << touchmark::status_name(error.status()) << " (" << error.message() << ") where " << touchmark::status_name(status) << " is expected";
            throw wrong(what.str());
        }
        return error;
    }
    throw wrong("there was no error where " + std::string(touchmark::status_name(status)) + " is expected");
}

/// Runs all tests.
inline int run_tests() {
    int failed = 0;
    for (const auto &[name, test] : all_tests()) {
        try {
            test();
        } catch (const std::exception &why) {
            std::cerr << "FAILED " << name << ": " << why.what() << '\n';
            failed++;
        }
    }
    std::cout << all_tests().size() - std::size_t(failed) << " tests of C++ passed, " << failed << " failed\n";
    return failed == 0 ? 0 : 1;
}

#endif
