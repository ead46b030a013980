import dev.touchmark.Fetcher;
import dev.touchmark.Policy;
import dev.touchmark.Source;
import dev.touchmark.Standing;
import dev.touchmark.TouchmarkException;
import dev.touchmark.TrustRoot;
import dev.touchmark.VerifiedArtifact;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/**
 * Verifies an image of an OCI layout by what a trust root says of its name, and by what a policy asks for beside that:
 * {@code verify_by_root ROOT METADATA STORE NAME IMAGE [ANNOTATION=VALUE...]}. ROOT is a trusted root.json, METADATA the folder or the URL of the
 * trust repository's metadata, STORE a folder that this program keeps. It ends with 1 if the image is refused, with 2 if it could not be found out.
 */
public final class VerifyByRoot {
    private VerifyByRoot() {}

    public static void main(String[] args) {
        if (args.length < 5) {
            System.err.println("usage: verify_by_root ROOT METADATA STORE NAME IMAGE [ANNOTATION=VALUE...]");
            System.exit(2);
        }
        Instant now = Instant.now();
        try (TrustRoot root = TrustRoot.open(Files.readAllBytes(Path.of(args[0])), fetcher(args[1]), null, Path.of(args[2]), now);
                Standing standing = root.standing(args[3]);
                Policy policy = policy(standing, List.of(args).subList(5, args.length));
                Source source = new Source(args[4]);
                VerifiedArtifact artifact = source.verify(policy, now)) {
            System.out.println(artifact.name() + " is " + artifact.digest());
        } catch (TouchmarkException.Unknown | TouchmarkException.InvalidArgument | IOException e) {
            System.err.println("could not find out: " + e.getMessage());
            System.exit(2);
        } catch (TouchmarkException e) {
            System.err.println("refused: " + e.getMessage());
            System.exit(1);
        }
    }

    private static Policy policy(Standing standing, List<String> annotations) throws TouchmarkException {
        Policy.Builder builder = Policy.ofStanding(standing);
        for (String each : annotations) {
            String[] pair = each.split("=", 2);
            builder.annotation(pair[0], pair[1]);
        }
        return builder.build();
    }

    /** Gets metadata from a server, or from a folder. */
    private static Fetcher fetcher(String from) {
        if (!from.startsWith("http://") && !from.startsWith("https://")) {
            return Fetcher.ofFolder(Path.of(from));
        }
        HttpClient client = HttpClient.newHttpClient();
        return (path, limit) -> {
            HttpRequest request = HttpRequest.newBuilder(URI.create(from.replaceAll("/$", "") + "/" + path)).build();
            HttpResponse<InputStream> response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
            try (InputStream body = response.body()) {
                return switch (response.statusCode()) {
                    // One byte more than the limit tells the library that it is too long.
                    case 200 -> body.readNBytes((int) Math.min(limit + 1, Integer.MAX_VALUE));
                    case 404 -> null;
                    default -> throw new IOException(request.uri() + ": " + response.statusCode());
                };
            }
        };
    }
}
