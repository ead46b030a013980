package dev.touchmark;

import com.sun.jna.Pointer;
import java.lang.ref.Cleaner;
import java.util.function.Consumer;

/** Owns one object of the library. It is freed when it was closed and no call uses it any more, or when nobody can reach it. */
abstract class Handle implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final State state;
    private final Cleaner.Cleanable cleanable;

    Handle(Pointer object, Consumer<Pointer> free) {
        state = new State(object, free);
        cleanable = CLEANER.register(this, state);
    }

    /**
     * Frees the object; what was made from it stays good. It may be closed twice. Afterwards calls fail with {@link Status#NULL_POINTER}, and those
     * that throw no {@link TouchmarkException} with an {@link IllegalStateException}.
     */
    @Override
    public void close() {
        cleanable.clean();
    }

    /** The object for one call, or null, which the library refuses. */
    Pointer acquire() {
        return state.acquire();
    }

    /** The object, for a call beside which there must be no other. */
    Pointer acquireAlone() throws TouchmarkException {
        Pointer object = state.acquireAlone();
        if (object == State.USED) {
            throw TouchmarkException.of(Status.WRONG_STATE, "wrong-state", "the handle is being used", "{}", null);
        }
        return object;
    }

    void release() {
        state.release();
    }

    private static final class State implements Runnable {
        static final Pointer USED = new Pointer(-1);

        private final Pointer object;
        private final Consumer<Pointer> free;
        private int users;
        private boolean closed;

        State(Pointer object, Consumer<Pointer> free) {
            this.object = object;
            this.free = free;
        }

        @Override
        public synchronized void run() {
            if (!closed) {
                closed = true;
                if (users == 0) {
                    free.accept(object);
                }
            }
        }

        synchronized Pointer acquire() {
            if (closed) {
                return null;
            }
            users++;
            return object;
        }

        synchronized Pointer acquireAlone() {
            return users > 0 && !closed ? USED : acquire();
        }

        synchronized void release() {
            users--;
            if (closed && users == 0) {
                free.accept(object);
            }
        }
    }
}
