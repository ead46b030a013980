import dev.touchmark.Policy;
import dev.touchmark.PublicKey;
import dev.touchmark.Source;
import dev.touchmark.TouchmarkException;
import dev.touchmark.VerifiedArtifact;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Verifies an image of an OCI layout, a folder or a tar, by keys: {@code verify_layout IMAGE NAME THRESHOLD KEY...}. It ends with 1 if the image is
 * refused, with 2 if it could not be found out.
 */
public final class VerifyLayout {
    private VerifyLayout() {}

    public static void main(String[] args) {
        if (args.length < 4) {
            System.err.println("usage: verify_layout IMAGE NAME THRESHOLD KEY...");
            System.exit(2);
        }
        List<PublicKey> keys = new ArrayList<>();
        try {
            for (String file : List.of(args).subList(3, args.length)) {
                keys.add(PublicKey.read(Files.readAllBytes(Path.of(file))));
            }
            try (Source source = new Source(args[0]);
                    Policy policy = Policy.ofKeys(keys, Integer.parseInt(args[2])).name(args[1]).build();
                    VerifiedArtifact artifact = source.verify(policy, Instant.now())) {
                System.out.println(artifact.name() + " is " + artifact.digest());
            }
        } catch (TouchmarkException.Unknown | TouchmarkException.InvalidArgument | IOException e) {
            System.err.println("could not find out: " + e.getMessage());
            System.exit(2);
        } catch (TouchmarkException e) {
            System.err.println("refused: " + e.getMessage());
            System.exit(1);
        } finally {
            keys.forEach(PublicKey::close);
        }
    }
}
