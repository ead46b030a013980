package dev.touchmark;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/** Computes a digest piece by piece. */
public final class Hasher extends Handle {
    /**
     * Begins a digest.
     *
     * @param algorithm of digests
     * @throws TouchmarkException the library failed
     */
    public Hasher(DigestAlgorithm algorithm) throws TouchmarkException {
        super(Call.object(c -> C.touchmark_hasher_new(algorithm.number(), c.out, c.error)), C::touchmark_hasher_free);
    }

    /**
     * Adds to what is hashed.
     *
     * @param piece any bytes
     * @throws TouchmarkException it is finished
     */
    public void update(byte[] piece) throws TouchmarkException {
        Call.run(c -> C.touchmark_hasher_update(c.alone(this), c.view(piece), c.error));
    }

    /**
     * Adds all that a stream gives.
     *
     * @param stream to be read to its end
     * @return how many bytes it gave
     * @throws IOException the stream failed
     * @throws TouchmarkException it is finished
     */
    public long update(InputStream stream) throws IOException, TouchmarkException {
        byte[] buffer = new byte[65536];
        long total = 0;
        for (int read = stream.read(buffer); read >= 0; read = stream.read(buffer)) {
            update(read == buffer.length ? buffer : Arrays.copyOf(buffer, read));
            total += read;
        }
        return total;
    }

    /**
     * The digest. Afterwards the hasher is finished.
     *
     * @return as in {@code sha256:…}
     * @throws TouchmarkException it is finished
     */
    public String finish() throws TouchmarkException {
        return Call.bufferText(c -> C.touchmark_hasher_finish(c.alone(this), c.out, c.error));
    }
}
