package dev.touchmark;

import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;

/**
 * The caller's functions as callbacks. What they throw does not cross C: it is kept, and becomes the cause of what the call throws. That a place
 * cannot be reached is an {@link IOException}, and the library decides what follows; everything else ends the call in any case.
 */
final class Callbacks {
    private Throwable thrown;
    // What C may still call must not be collected.
    private final List<C.Sign> kept = new ArrayList<>(0);

    private interface Body {
        byte[] run() throws Exception;
    }

    void begin() {
        thrown = null;
    }

    /** Runs a callback that gives bytes. */
    private int give(Pointer sink, Body body) {
        return run(sink, () -> {
            byte[] content = body.run();
            return content == null ? Status.NOT_FOUND.number() : Call.give(sink, content);
        });
    }

    private int run(Pointer sink, Callable<Integer> body) {
        try {
            return body.call();
        } catch (Throwable e) {
            if (thrown == null || thrown instanceof IOException) {
                thrown = e;
            }
            if (sink != null) {
                Call.fail(sink, e.toString());
            }
            return Status.CALLBACK_FAILED.number();
        }
    }

    C.Sign sign(Signer.Function function) {
        C.Sign sign = (userdata, message, sink) -> give(sink, () -> Objects.requireNonNull(function.sign(message.copied())));
        kept.add(sign);
        return sign;
    }

    C.Fetch fetch(Fetcher fetcher) {
        return (userdata, path, limit, sink) -> give(sink, () -> {
            try {
                return fetcher.fetch(Call.string(path.copied()), limit);
            } catch (NoSuchFileException e) {
                return null;
            }
        });
    }

    C.StoreFile store(Store store) {
        return (userdata, file, content) -> run(null, () -> {
            store.store(Call.string(file.copied()), content.copied());
            return 0;
        });
    }

    C.RemoveFile remove(Store store) {
        return (userdata, file) -> run(null, () -> {
            store.remove(Call.string(file.copied()));
            return 0;
        });
    }

    /** Gives an exception its cause. */
    TouchmarkException explain(TouchmarkException e) {
        if (thrown != null) {
            e.initCause(thrown);
        }
        return e;
    }

    /** Why a call fails that the library would have gone on with. */
    TouchmarkException failure() {
        if (thrown == null || thrown instanceof IOException) {
            return null;
        }
        return TouchmarkException.of(Status.CALLBACK_FAILED, "callback-failed", "the callback threw " + thrown, "{}", thrown);
    }
}
