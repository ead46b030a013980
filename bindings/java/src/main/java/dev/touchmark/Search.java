package dev.touchmark;

import java.io.IOException;
import java.util.Objects;

/** Decides a request step by step, without any I/O of its own. */
public final class Search extends Handle {
    /**
     * Begins to decide.
     *
     * @param request the question
     * @throws TouchmarkException the request was closed
     */
    public Search(Request request) throws TouchmarkException {
        super(Call.object(c -> C.touchmark_search_new(c.use(request), c.out, c.error)), C::touchmark_search_free);
    }

    /** A kind of need. */
    public enum Kind {
        /** Nothing: finish. */
        DONE,
        /** A manifest. */
        MANIFEST,
        /** What refers to a manifest. */
        REFERRERS,
        /** A blob. */
        BLOB,
        /** The digest and size of a blob. */
        HASH
    }

    /**
     * What is needed next.
     *
     * @param kind of need
     * @param digest of what
     * @param limit the most bytes; of HASH, the size that it should have
     * @param entries of REFERRERS, the most entries
     * @param thorough of REFERRERS: what a quick list leaves out too
     */
    public record Need(Kind kind, String digest, long limit, long entries, boolean thorough) {}

    /**
     * Decides a request by what lies in a place.
     *
     * @param request the question
     * @param place where the artifact lies
     * @return the artifact
     * @throws TouchmarkException the policy does not accept it
     */
    public static VerifiedArtifact decide(Request request, Place place) throws TouchmarkException {
        try (Search search = new Search(request)) {
            for (Need need = search.next(); need.kind() != Kind.DONE; need = search.next()) {
                try {
                    search.answer(need, place);
                } catch (IOException e) {
                    search.provideFailure(e);
                }
            }
            return search.finish();
        }
    }

    private void answer(Need need, Place place) throws IOException, TouchmarkException {
        switch (need.kind()) {
            case MANIFEST -> provideBytes(place.manifest(need.digest(), need.limit()));
            case REFERRERS -> provideReferrers(place.referrers(need));
            case BLOB -> provideBytes(place.blob(need.digest(), need.limit()));
            case HASH -> provideHash(place.hash(need.digest(), need.limit()));
            case DONE -> throw new IllegalStateException();
        }
    }

    /**
     * What is needed next.
     *
     * @return DONE at the end
     * @throws TouchmarkException it is finished
     */
    public Need next() throws TouchmarkException {
        C.Need need = new C.Need();
        Call.run(c -> C.touchmark_search_next(c.alone(this), need, c.error));
        return new Need(Kind.values()[need.kind], Call.string(need.digest.copied()), need.limit, need.entries, need.thorough != 0);
    }

    /**
     * Answers a need of a manifest or blob.
     *
     * @param content of it
     * @throws TouchmarkException it was not needed
     */
    public void provideBytes(byte[] content) throws TouchmarkException {
        Call.run(c -> C.touchmark_search_provide_bytes(c.alone(this), c.view(Objects.requireNonNull(content)), c.error));
    }

    /**
     * Answers a need of a hash.
     *
     * @param hashed what the content has
     * @throws TouchmarkException it was not needed
     */
    public void provideHash(Place.Hashed hashed) throws TouchmarkException {
        Call.run(c -> C.touchmark_search_provide_hash(c.alone(this), c.view(hashed.digest()), hashed.size(), c.error));
    }

    /**
     * Answers a need of referrers.
     *
     * @param list of them
     * @throws TouchmarkException it was not needed
     */
    public void provideReferrers(Place.Referrers list) throws TouchmarkException {
        Call.run(c -> C.touchmark_search_provide_referrers(
                c.alone(this), c.view(list.index()), list.complete() ? 1 : 0, list.more() ? 1 : 0, c.error));
    }

    /**
     * Answers any need by why it cannot be met; see {@link Place}.
     *
     * @param why it cannot
     * @throws TouchmarkException nothing was needed
     */
    public void provideFailure(IOException why) throws TouchmarkException {
        Failure failure = Failure.of(why);
        Call.run(c -> C.touchmark_search_provide_failure(c.alone(this), failure.number(), c.message(failure.message()), c.error));
    }

    /**
     * The decision.
     *
     * @return the artifact
     * @throws TouchmarkException the policy does not accept it, or the search is not done
     */
    public VerifiedArtifact finish() throws TouchmarkException {
        return new VerifiedArtifact(Call.object(c -> C.touchmark_search_finish(c.alone(this), c.out, c.error)));
    }
}
