// Tests of views, errors, outcomes, keys, signers and envelopes.
#include <array>
#include <map>
#include <thread>

#include "check.hpp"

using namespace touchmark;

namespace {

const key_algorithm signing[] = {key_algorithm::ed25519, key_algorithm::ecdsa_p256};

struct own_error : std::runtime_error {
    own_error() : std::runtime_error("the token was pulled out") {}
    int number = 42;
};

} // namespace

TEST(what_an_object_without_a_name_says_outlives_it) {
    auto alice = private_key::generate();
    const auto id = alice.public_half().id();
    const auto raw = alice.public_half().raw();
    const auto payload = envelope::sign("text/plain", "a message", signer(alice)).verify(alice.public_half()).payload();
    CHECK(id.size() > 10 && raw.size() == 32 && payload == "a message");
    static_assert(std::is_same_v<decltype(std::declval<verified_artifact>().digest()), std::string>);
    static_assert(std::is_same_v<decltype(std::declval<verified_artifact &>().digest()), std::string_view>);
}

TEST(views_are_made_of_whatever_has_bytes) {
    std::string text = "abc";
    std::vector<std::byte> bytes = {std::byte('a'), std::byte('b'), std::byte('c')};
    std::array<std::uint8_t, 3> array = {'a', 'b', 'c'};
    std::vector<char> chars = {'a', 'b', 'c'};
    for (bytes_view view : {bytes_view(text), bytes_view(bytes), bytes_view(array), bytes_view(chars), bytes_view("abc"), bytes_view(text.data(), 3)}) {
        CHECK(view.text() == "abc");
        CHECK(view.string() == text);
        CHECK(view.bytes() == bytes);
    }
    bytes_view nothing;
    CHECK(nothing.empty() && nothing.size() == 0 && nothing.string().empty() && nothing.bytes().empty());
    CHECK(digest(nothing) == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(digest(std::string()) == digest(std::vector<std::byte>()));
}

TEST(the_library_says_what_it_is) {
    CHECK(abi_version() == TOUCHMARK_ABI_VERSION);
    CHECK(version() == TOUCHMARK_VERSION);
    CHECK(features() & TOUCHMARK_FEATURE_SIGN);
    CHECK(status_name(TOUCHMARK_STATUS_NOT_VERIFIED) == "NOT_VERIFIED");
    CHECK(status_name(12345).empty());
}

TEST(errors_say_what_and_why_and_can_be_copied) {
    auto error = fails_with(TOUCHMARK_STATUS_MALFORMED_JSON, [] { canonical_json("{"); });
    auto copy = error;
    { auto moved = std::move(error); }
    CHECK(!copy.code().empty());
    CHECK(copy.message() == copy.what());
    CHECK(copy.json().find("\"status\"") != std::string_view::npos);
    try {
        throw copy;
    } catch (const std::runtime_error &caught) {
        CHECK(std::string(caught.what()) == copy.message());
    }
    // Without details there is the status's name.
    touchmark::error bare(TOUCHMARK_STATUS_INTERNAL, nullptr);
    CHECK(std::string(bare.what()) == "INTERNAL" && bare.code().empty() && bare.json().empty());
}

TEST(outcomes_have_a_value_or_a_reason) {
    auto bad = public_key::try_read("no key");
    CHECK(!bad);
    CHECK(bad.status() == TOUCHMARK_STATUS_MALFORMED_KEY);
    CHECK(!bad.message().empty() && !bad.code().empty() && !bad.json().empty());
    fails_with(TOUCHMARK_STATUS_MALFORMED_KEY, [&] { std::move(bad).value(); });
    auto good = public_key::try_read(private_key::generate().public_half().pem());
    CHECK(good && good.status() == TOUCHMARK_STATUS_OK && good.message().empty());
    CHECK((*good).id() == good->id());
    auto key = std::move(good).value();
    CHECK(key.get());
    static_assert(noexcept(public_key::try_read({})) && noexcept(envelope::try_parse({})) && noexcept(key.try_verify({}, {})));
}

TEST(handles_move_and_are_not_copied) {
    static_assert(!std::is_copy_constructible_v<public_key> && std::is_nothrow_move_constructible_v<public_key>);
    static_assert(!std::is_copy_constructible_v<signer> && std::is_move_assignable_v<signer>);
    auto key = private_key::generate().public_half();
    auto *handle = key.get();
    auto moved = std::move(key);
    CHECK(moved.get() == handle && !key.get());
    key = std::move(moved);
    CHECK(key.get() == handle);
    // What was moved away is NULL, which the library refuses.
    fails_with(TOUCHMARK_STATUS_NULL_POINTER, [&] { moved.pem(); });
    CHECK(moved.id().empty());
}

TEST(digests_in_pieces_are_those_of_the_whole) {
    for (auto algorithm : {digest_algorithm::sha256, digest_algorithm::sha512}) {
        hasher hasher(algorithm);
        hasher.update("ab");
        hasher.update({});
        hasher.update(std::string("c"));
        CHECK(hasher.finish() == digest("abc", algorithm));
        fails_with(TOUCHMARK_STATUS_WRONG_STATE, [&] { hasher.update("d"); });
    }
}

TEST(names_are_checked) {
    check_name("acme/net-monitor:1.2.0");
    fails_with(TOUCHMARK_STATUS_INVALID_NAME, [] { check_name("no name"); });
}

TEST(keys_are_written_and_read) {
    for (auto algorithm : signing) {
        auto key = private_key::generate(algorithm);
        auto half = key.public_half();
        CHECK(half.algorithm() == algorithm);
        CHECK(private_key::read(key.pem().bytes()).public_half().id() == half.id());
        auto locked = key.encrypted_pem("a passphrase");
        CHECK(private_key::read(locked.bytes(), "a passphrase").public_half().id() == half.id());
        fails_with(TOUCHMARK_STATUS_WRONG_PASSPHRASE, [&] { private_key::read(locked.bytes(), "another"); });
        CHECK(public_key::read(half.pem()).id() == half.id());
        CHECK(public_key::from_raw(algorithm, half.raw()).id() == half.id());
    }
}

TEST(an_envelope_is_verified_by_enough_keys) {
    auto alice = private_key::generate(), bob = private_key::generate(key_algorithm::ecdsa_p256);
    auto alice_public = alice.public_half(), bob_public = bob.public_half(), eve_public = private_key::generate().public_half();
    auto one = envelope::sign("text/plain", "a message", signer(alice));
    CHECK(one.payload_type() == "text/plain" && one.untrusted_payload().text() == "a message");
    CHECK(one.signature_count() == 1 && one.signature_keyid(0) == alice_public.id() && one.signature_keyid(1).empty());

    auto verified = one.verify(alice_public);
    CHECK(verified.payload().text() == "a message" && verified.payload_type() == "text/plain");
    CHECK(verified.key_count() == 1 && verified.key_id(0) == alice_public.id() && verified.key_id(1).empty());

    auto both = envelope::parse(one.add_signature(signer(bob)).json());
    CHECK(both.verify({alice_public, bob_public}, 2).key_count() == 2);
    std::vector<public_key> keys;
    keys.push_back(std::move(alice_public));
    keys.push_back(std::move(eve_public));
    CHECK(both.verify(keys).key_count() == 1);
    auto refused = both.try_verify(keys, 2);
    CHECK(!refused && refused.status() == TOUCHMARK_STATUS_THRESHOLD_NOT_REACHED);
    fails_with(TOUCHMARK_STATUS_THRESHOLD_NOT_REACHED, [&] { one.verify(bob_public); });
    fails_with(TOUCHMARK_STATUS_INVALID_THRESHOLD, [&] { one.verify(bob_public, 0); });
    fails_with(TOUCHMARK_STATUS_INVALID_THRESHOLD, [&] { one.verify({bob_public, bob_public}, 2); });
    fails_with(TOUCHMARK_STATUS_MALFORMED_ENVELOPE, [] { envelope::parse("{}"); });
    auto two = envelope::sign("text/plain", "a message", {signer(alice), signer(bob)});
    CHECK(two.signature_count() == 2);
}

TEST(a_signature_is_verified_or_refused) {
    // RFC 8032, 7.1, TEST 2.
    auto hex = [](std::string_view text) {
        std::vector<std::uint8_t> bytes;
        for (std::size_t at = 0; at < text.size(); at += 2) bytes.push_back(std::uint8_t(std::stoul(std::string(text.substr(at, 2)), nullptr, 16)));
        return bytes;
    };
    auto key = public_key::from_raw(key_algorithm::ed25519, hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"));
    auto signature = hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    key.verify("\x72", signature);
    fails_with(TOUCHMARK_STATUS_BAD_SIGNATURE, [&] { key.verify("\x73", signature); });
    CHECK(key.try_verify("\x72", signature));
    CHECK(!key.try_verify("\x73", signature));
}

TEST(a_callback_that_gives_another_keys_signature_is_found_out) {
    auto key = private_key::generate();
    std::string seen;
    signer liar(key.public_half(), [&](bytes_view message, sink &out) {
        seen = message.string();
        out.append(std::string(64, 'x'));
    });
    fails_with(TOUCHMARK_STATUS_BAD_SIGNATURE, [&] { envelope::sign("text/plain", "m", liar); });
    CHECK(seen == "DSSEv1 10 text/plain 1 m");
    signer silent(key.public_half(), [](bytes_view, sink &) {});
    fails_with(TOUCHMARK_STATUS_BAD_SIGNATURE, [&] { envelope::sign("text/plain", "m", silent); });
    signer endless(key.public_half(), [](bytes_view, sink &out) {
        for (;;) out.append(std::string(1 << 20, 'x'));
    });
    auto error = fails_with(TOUCHMARK_STATUS_CALLBACK_FAILED, [&] { envelope::sign("text/plain", "m", endless); });
    CHECK(error.message().find("more than") != std::string_view::npos);
}

TEST(what_a_callback_throws_comes_out_of_the_call) {
    auto key = private_key::generate();
    signer broken(key.public_half(), [](bytes_view, sink &) { throw own_error(); });
    auto throws_own = [](const std::function<void()> &call) {
        try {
            call();
        } catch (const own_error &error) {
            return error.number == 42;
        }
        return false;
    };
    CHECK(throws_own([&] { envelope::sign("text/plain", "m", broken); }));
    auto good = envelope::sign("text/plain", "m", signer(private_key::generate()));
    CHECK(throws_own([&] { good.add_signature(broken); }));
    const char *manifest = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[],"config":
        {"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}})";
    CHECK(throws_own([&] { sign_manifest(manifest, {"acme/x:1", {}, "", 1, 0}, broken); }));
    signer strange(key.public_half(), [](bytes_view, sink &) { throw 7; });
    int thrown = 0;
    try {
        envelope::sign("text/plain", "m", strange);
    } catch (int number) {
        thrown = number;
    }
    CHECK(thrown == 7);
    // An exception of a call within the callback is the callback's own.
    signer nested(key.public_half(), [&](bytes_view, sink &) {
        CHECK(throws_own([&] { envelope::sign("text/plain", "within", broken); }));
        throw std::out_of_range("the outer one");
    });
    bool outer = false;
    try {
        envelope::sign("text/plain", "m", nested);
    } catch (const std::out_of_range &) {
        outer = true;
    }
    CHECK(outer);
    // And nothing is left of it for the next call.
    CHECK(good.add_signature(signer(private_key::generate())).signature_count() == 2);
}

TEST(a_signer_outlives_the_key_and_can_be_moved) {
    std::optional<signer> kept;
    std::string id;
    {
        auto key = private_key::generate();
        id = key.public_half().id();
        kept.emplace(key);
    }
    signer moved = std::move(*kept);
    kept.reset();
    CHECK(envelope::sign("text/plain", "m", moved).signature_keyid(0) == id);
}

TEST(sixteen_threads_verify_with_the_same_handles) {
    auto key = private_key::generate();
    auto half = key.public_half();
    auto signed_one = envelope::sign("text/plain", "a message", signer(key));
    auto other = private_key::generate().public_half();
    std::vector<std::thread> threads;
    std::vector<int> right(16, 0);
    for (int each = 0; each < 16; each++) {
        threads.emplace_back([&, each] {
            for (int round = 0; round < 50; round++) {
                right[std::size_t(each)] += signed_one.verify(half).payload() == "a message" && !signed_one.try_verify(other);
            }
        });
    }
    for (auto &thread : threads) thread.join();
    for (int each : right) CHECK(each == 50);
}
