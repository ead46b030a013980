// The same in C++.
#include <iostream>

#include <touchmark.hpp>

int main() {
    bool right = touchmark::abi_version() == TOUCHMARK_ABI_VERSION;
    right &= touchmark::canonical_json("{ \"b\": 2, \"a\": 1 }").text() == "{\"a\":1,\"b\":2}";
    try {
        touchmark::canonical_json("{");
        right = false;
    } catch (const touchmark::error &error) {
        right &= error.status() == TOUCHMARK_STATUS_MALFORMED_JSON && !error.message().empty();
    }
#ifdef TOUCHMARK_SIGN
    auto key = touchmark::private_key::generate();
    auto envelope = touchmark::envelope::sign("text/plain", "a message", touchmark::signer(key));
    right &= envelope.verify(key.public_half()).payload() == "a message";
#endif
    std::cout << (right ? "right" : "wrong") << '\n';
    return right ? 0 : 1;
}
