// Signs an image in an OCI layout with a key that the library never sees: here OpenSSL has it; a token or a service would do as well.
//
//   sign_by_callback PRIVATE_KEY PUBLIC_KEY NAME REFERENCE
//
// The keys are files, REFERENCE is oci:FOLDER:TAG. The signature is put beside the image. Ends with 0 if it was.
#include <array>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <touchmark.hpp>

namespace {

template <auto Free> struct freed_by {
    template <class T> void operator()(T *it) const { Free(it); }
};
using evp_key = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;

std::string content_of(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(path + " cannot be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

evp_key read_key(const std::string &pem) {
    std::unique_ptr<BIO, freed_by<BIO_free>> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    evp_key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
    if (!key) throw std::runtime_error("this is no private key");
    return key;
}

/// Signs the message itself: Ed25519 hashes within, ECDSA needs to be told the hash of its curve.
void sign(EVP_PKEY *key, touchmark::bytes_view message, touchmark::sink &out) {
    const EVP_MD *hash = EVP_PKEY_base_id(key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
    std::unique_ptr<EVP_MD_CTX, freed_by<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
    std::array<unsigned char, 256> signature;
    std::size_t length = signature.size();
    if (!context || EVP_DigestSignInit(context.get(), nullptr, hash, nullptr, key) != 1 ||
        EVP_DigestSign(context.get(), signature.data(), &length, message.data(), message.size()) != 1) {
        throw std::runtime_error("OpenSSL does not sign with this key"); // comes out of the call that signs
    }
    out.append({signature.data(), length});
}

} // namespace

int main(int count, char **arguments) try {
    if (count != 5) {
        std::cerr << "usage: sign_by_callback PRIVATE_KEY PUBLIC_KEY NAME REFERENCE\n";
        return 2;
    }
    auto key = read_key(content_of(arguments[1]));
    auto public_key = touchmark::public_key::read(content_of(arguments[2]));
    touchmark::signer signer(public_key, [&](touchmark::bytes_view message, touchmark::sink &out) { sign(key.get(), message, out); });

    touchmark::source image(arguments[4]);
    touchmark::signed_claims says;
    says.name = arguments[3];
    says.issued = std::time(nullptr);
    image.attach(touchmark::sign_manifest(image.manifest().bytes(), says, signer));
    return 0;
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
