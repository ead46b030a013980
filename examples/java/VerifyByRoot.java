import dev.touchmark.Fetcher;
import dev.touchmark.Policy;
import dev.touchmark.Request;
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
 * Verifies an image of an OCI layout by a trust root: by what its metadata says of the image's name, by the policy that its repository signs, if it
 * has one, and by annotations that are asked for beside that: {@code verify_by_root ROOT METADATA STORE NAME IMAGE [ANNOTATION=VALUE...]}. ROOT is a
 * trusted root.json, METADATA the folder or the URL of the trust repository's metadata, beside its targets, STORE a folder that this program keeps.
 * It ends with 1 if the image is refused, with 2 if it could not be found out.
 */
public final class VerifyByRoot {
    private VerifyByRoot() {}

    public static void main(String[] args) {
        if (args.length < 5) {
            System.err.println("usage: verify_by_root ROOT METADATA STORE NAME IMAGE [ANNOTATION=VALUE...]");
            System.exit(2);
        }
        Instant now = Instant.now();
        try (TrustRoot root = open(Files.readAllBytes(Path.of(args[0])), args[1], Path.of(args[2]), now);
                Source source = new Source(args[4]);
                VerifiedArtifact artifact = root.verify(source, args[3], now)) {
            if (args.length > 5) {
                checkAnnotations(root, source, artifact, List.of(args).subList(5, args.length), now);
            }
            System.out.println(artifact.name() + " is " + artifact.digest());
        } catch (TouchmarkException.Unknown | TouchmarkException.InvalidArgument | IOException e) {
            System.err.println("could not find out: " + e.getMessage());
            System.exit(2);
        } catch (TouchmarkException e) {
            System.err.println("refused: " + e.getMessage());
            System.exit(1);
        }
    }

    /** Verifies that what was verified has annotations that were signed, too. */
    private static void checkAnnotations(TrustRoot root, Source source, VerifiedArtifact artifact, List<String> annotations, Instant now)
            throws TouchmarkException {
        try (Standing standing = root.standing(artifact.name()); Policy.Builder builder = Policy.ofStanding(standing)) {
            for (String each : annotations) {
                String[] pair = each.split("=", 2);
                builder.annotation(pair[0], pair[1]);
            }
            // By its digest: a tag may have been moved meanwhile.
            try (Policy policy = builder.build(); Request request = new Request(policy, artifact.digest(), now)) {
                source.verify(request).close();
            }
        }
    }

    /** Opens the trust repository of a server, or in a folder. */
    private static TrustRoot open(byte[] root, String metadata, Path store, Instant now) throws TouchmarkException {
        if (!metadata.startsWith("http://") && !metadata.startsWith("https://")) {
            return TrustRoot.open(root, Path.of(metadata), store, now);
        }
        URI base = URI.create(metadata.replaceAll("/*$", "/"));
        return TrustRoot.open(root, server(base), server(base.resolve("../targets/")), store, now);
    }

    /** Gets files below a URL. */
    private static Fetcher server(URI base) {
        HttpClient client = HttpClient.newHttpClient();
        return (path, limit) -> {
            HttpRequest request = HttpRequest.newBuilder(base.resolve(path)).build();
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
