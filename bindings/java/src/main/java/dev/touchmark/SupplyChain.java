package dev.touchmark;

import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Verifies links against an in-toto layout, step by step, without any I/O of its own. */
public final class SupplyChain extends Handle {
    /**
     * Begins.
     *
     * @param layout its bytes
     * @param keys by which it must be signed
     * @param parameters that are substituted in it
     * @param at the time at which it is to hold
     * @throws TouchmarkException an argument is none
     */
    public SupplyChain(byte[] layout, Collection<PublicKey> keys, Map<String, String> parameters, Instant at) throws TouchmarkException {
        super(Call.object(c -> C.touchmark_supply_chain_new(
                c.view(layout), c.handles(keys), keys.size(), c.pairs(parameters), parameters.size(), at.getEpochSecond(), c.out, c.error)),
                C::touchmark_supply_chain_free);
    }

    /** Takes the steps of an object that somebody else owns. */
    private SupplyChain(Pointer object) {
        super(object, ignored -> {});
    }

    /** A kind of need. */
    public enum Kind {
        /** Nothing: finish. */
        DONE,
        /** The file {@code name}, below the folder of links. */
        FILE,
        /** The names of the links of {@code step} in the folder {@code name}. */
        NAMES,
        /** The link of the inspection {@code name}, of the layout in the folder {@code step}. */
        INSPECTION
    }

    /**
     * What is needed next.
     *
     * @param kind of need
     * @param name of what
     * @param step see the kind
     * @param limit the most bytes
     */
    public record Need(Kind kind, String name, String step, long limit) {}

    /**
     * What is needed next.
     *
     * @return DONE at the end
     * @throws TouchmarkException it is finished
     */
    public Need next() throws TouchmarkException {
        C.SupplyChainNeed need = new C.SupplyChainNeed();
        Call.run(c -> C.touchmark_supply_chain_next(c.alone(this), need, c.error));
        return new Need(Kind.values()[need.kind], Call.string(need.name.copied()), Call.string(need.step.copied()), need.limit);
    }

    /**
     * Answers FILE or INSPECTION.
     *
     * @param content of it
     * @throws TouchmarkException it was not needed
     */
    public void provideBytes(byte[] content) throws TouchmarkException {
        Call.run(c -> C.touchmark_supply_chain_provide_bytes(c.alone(this), c.view(Objects.requireNonNull(content)), c.error));
    }

    /**
     * Answers FILE: there is none; or INSPECTION: it is not run.
     *
     * @throws TouchmarkException it was not needed
     */
    public void provideAbsent() throws TouchmarkException {
        Call.run(c -> C.touchmark_supply_chain_provide_absent(c.alone(this), c.error));
    }

    /**
     * Answers NAMES.
     *
     * @param names of links
     * @param complete whether none was left out
     * @throws TouchmarkException it was not needed
     */
    public void provideNames(List<String> names, boolean complete) throws TouchmarkException {
        Call.run(c -> C.touchmark_supply_chain_provide_names(c.alone(this), c.texts(names), names.size(), complete ? 1 : 0, c.error));
    }

    /**
     * Answers any need by why it cannot be met; see {@link Place}.
     *
     * @param why it cannot
     * @throws TouchmarkException nothing was needed
     */
    public void provideFailure(IOException why) throws TouchmarkException {
        Failure failure = Failure.of(why);
        Call.run(c -> C.touchmark_supply_chain_provide_failure(c.alone(this), failure.number(), c.message(failure.message()), c.error));
    }

    /**
     * The decision.
     *
     * @return the report
     * @throws TouchmarkException it was not as the layout says; the exception's JSON has the whole report
     */
    public VerifiedSupplyChain finish() throws TouchmarkException {
        return new VerifiedSupplyChain(Call.object(c -> C.touchmark_supply_chain_finish(c.alone(this), c.out, c.error)));
    }

    /**
     * Meets all needs, and finishes. Until then every other use fails with {@link Status#WRONG_STATE}.
     *
     * @param links where they lie
     * @return the report
     * @throws TouchmarkException it was not as the layout says; the exception's JSON has the whole report
     */
    public VerifiedSupplyChain drive(Links links) throws TouchmarkException {
        Pointer object = acquireAlone();
        try (SupplyChain driven = new SupplyChain(object)) {
            return driven.meet(links);
        } finally {
            if (object != null) {
                release();
            }
        }
    }

    private VerifiedSupplyChain meet(Links links) throws TouchmarkException {
        for (Need need = next(); need.kind() != Kind.DONE; need = next()) {
            try {
                switch (need.kind()) {
                    case FILE -> provide(links.file(need.name(), need.limit()));
                    case NAMES -> provideNames(links.names(need.name(), need.step()), true);
                    case INSPECTION -> provide(links.inspection(need.name(), need.step()));
                    case DONE -> throw new IllegalStateException();
                }
            } catch (NoSuchFileException e) {
                provideAbsent();
            } catch (IOException e) {
                provideFailure(e);
            }
        }
        return finish();
    }

    private void provide(byte[] content) throws TouchmarkException {
        if (content == null) {
            provideAbsent();
        } else {
            provideBytes(content);
        }
    }

    /**
     * Verifies the links in a folder against a layout. It runs no inspection.
     *
     * @param layout its bytes
     * @param keys by which it must be signed
     * @param links the folder
     * @param parameters that are substituted in it
     * @param at the time at which it is to hold
     * @return the report
     * @throws TouchmarkException it was not as the layout says; the exception's JSON has the whole report
     */
    public static VerifiedSupplyChain verifyFolder(
            byte[] layout, Collection<PublicKey> keys, Path links, Map<String, String> parameters, Instant at) throws TouchmarkException {
        return new VerifiedSupplyChain(Call.object(c -> C.touchmark_supply_chain_verify_folder(
                c.view(layout), c.handles(keys), keys.size(), c.view(links.toString()), c.pairs(parameters), parameters.size(),
                at.getEpochSecond(), c.out, c.error)));
    }
}
