#!/usr/bin/env bash
# Makes the certificates here anew: roots of several kinds, and of each a certificate of one functionary.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The functionary's key is the one of the tests whose 32 bytes are all 50.
{ printf '\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20' && printf '2%.0s' {1..32}; } |
    openssl pkey -inform DER -out "$work/functionary"
printf '%s\n' 'keyUsage=critical,digitalSignature' 'subjectAltName=URI:spiffe://example.com/builder' >"$work/extensions"
openssl req -new -key "$work/functionary" -subj /CN=builder -out "$work/request"
dates=(-days 3650)
made() { # KIND DIGEST KEY-OPTIONS... [-- SIGNING-OPTIONS...]
    local kind=$1 digest=$2 options=() signing=()
    shift 2
    while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1"); shift; done
    [ $# -gt 0 ] && { shift; signing=("$@"); }
    openssl genpkey "${options[@]}" -out "$work/key"
    openssl req -x509 -new -key "$work/key" -subj "/CN=root of $kind" "-$digest" "${signing[@]}" "${dates[@]}" -out "$kind.root.pem" \
        -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign'
    openssl x509 -req -in "$work/request" -CA "$kind.root.pem" -CAkey "$work/key" "-$digest" "${signing[@]}" "${dates[@]}" \
        -extfile "$work/extensions" -out "$kind.pem"
}
rsa=(-algorithm RSA -pkeyopt)
for digest in sha256 sha384 sha512 sha1; do
    made "pkcs1-$digest" "$digest" "${rsa[@]}" rsa_keygen_bits:2048
done
made pss sha256 "${rsa[@]}" rsa_keygen_bits:2048 -- -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest
made rsa-1024 sha256 "${rsa[@]}" rsa_keygen_bits:1024
made p384-sha256 sha256 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
made p256-sha384 sha384 -algorithm EC -pkeyopt ec_paramgen_curve:P-256
