import dev.touchmark.Claims;
import dev.touchmark.Envelope;
import dev.touchmark.PublicKey;
import dev.touchmark.Signer;
import dev.touchmark.Source;
import dev.touchmark.TouchmarkException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Base64;
import java.util.List;

/**
 * Signs an image of an OCI layout by a key that Touchmark never sees: {@code sign_by_callback KEY PUBLIC_KEY NAME IMAGE}. Here java.security has it;
 * with a provider for it, a hardware token does the same. What the callback gives is verified by the public key before it is used.
 */
public final class SignByCallback {
    private SignByCallback() {}

    public static void main(String[] args) {
        if (args.length != 4) {
            System.err.println("usage: sign_by_callback KEY PUBLIC_KEY NAME IMAGE");
            System.exit(2);
        }
        try (PublicKey publicKey = PublicKey.read(Files.readAllBytes(Path.of(args[1]))); Source source = new Source(args[3])) {
            Signer signer = Signer.of(publicKey, callback(Path.of(args[0])));
            try (Envelope envelope = Envelope.signManifest(source.manifest(), Claims.named(args[2], Instant.now()), List.of(signer))) {
                source.attach(List.of(envelope));
            }
            System.out.println("signed " + args[3] + " as " + args[2]);
        } catch (TouchmarkException | IOException | GeneralSecurityException e) {
            System.err.println("not signed: " + e.getMessage());
            System.exit(1);
        }
    }

    private static Signer.Function callback(Path file) throws IOException, GeneralSecurityException {
        String pem = Files.readString(file).replaceAll("-----[A-Z ]*-----", "").replaceAll("\\s", "");
        PKCS8EncodedKeySpec encoded = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem));
        PrivateKey key;
        String algorithm;
        try {
            key = KeyFactory.getInstance("Ed25519").generatePrivate(encoded);
            algorithm = "Ed25519";
        } catch (GeneralSecurityException e) {
            key = KeyFactory.getInstance("EC").generatePrivate(encoded);
            algorithm = "SHA256withECDSA";
        }
        PrivateKey held = key;
        String how = algorithm;
        return message -> {
            Signature signature = Signature.getInstance(how);
            signature.initSign(held);
            signature.update(message);
            return signature.sign();
        };
    }
}
