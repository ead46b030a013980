#!/usr/bin/env bash
# The standalone verifier holds no code that signs artifacts, opens private keys or derives keys from passphrases.
#
# TLS agrees on keys, encrypts, and signs for a client certificate: what belongs to its libraries is left out of the search, in both
# programs alike.
# Symbols of the unstripped programs are searched for what such code is called. The same search must find plenty in
# `touchmark`, which signs: a pattern that finds nothing anywhere proves nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."

# One pattern for each thing that must not be there, on demangled names.
patterns=(
    'SigningKey|ExpandedSecretKey|SecretKey'
    'PrivateKey'
    'signature::.*(Signer|Keypair)|::(try_)?sign(_prehash(ed)?|_digest|_recoverable|_raw)?(_rfc6979)?$|try_sign'
    'rfc6979|NonZeroScalar.*(random|generate)'
    'EncryptedPrivateKeyInfo|pkcs5|pbes|decrypt'
    '\baes\b|cbc::|Aes(128|192|256)'
    'scrypt|pbkdf2|salsa20'
)

tls='(^|[^[:alnum:]_])(rustls|rustls_pki_types|rustls_native_certs|ring|webpki|ureq)::|ring_core_'

symbols() {
    nm --demangle --defined-only "$1" | awk '{ $1 = ""; $2 = ""; print }' | grep --invert-match --extended-regexp "$tls"
}

verifier=target/x86_64-unknown-linux-gnu/release/touchmark-verify
signer=target/release/touchmark
symbols "$verifier" >target/verifier.symbols
symbols "$signer" >target/signer.symbols
echo "touchmark-verify: $(wc -l <target/verifier.symbols) symbols, touchmark: $(wc -l <target/signer.symbols)"
grep -q 'touchmark' target/verifier.symbols || { echo "error: the verifier is stripped" >&2; exit 1; }

failed=0
for pattern in "${patterns[@]}"; do
    in_verifier=$(grep --count --extended-regexp "$pattern" target/verifier.symbols || true)
    in_signer=$(grep --count --extended-regexp "$pattern" target/signer.symbols || true)
    printf '%6d in touchmark-verify, %6d in touchmark: %s\n' "$in_verifier" "$in_signer" "$pattern"
    if [ "$in_verifier" -ne 0 ]; then
        grep --extended-regexp "$pattern" target/verifier.symbols | head -n 5 >&2
        failed=1
    fi
    if [ "$in_signer" -eq 0 ]; then
        echo "error: the pattern finds nothing where it must" >&2
        failed=1
    fi
done
exit "$failed"
